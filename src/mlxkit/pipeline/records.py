"""What is kept of each stage's last run: its log, its reasons, its outcome."""

import json
import os
import re
import time
from typing import Any

from mlxkit.core.files import write_atomic
from mlxkit.pipeline.result import Result
from mlxkit.pipeline.rundir import slug
from mlxkit.pipeline.spec import Stage, commands

FARTHEST = 1 << 20
"""How far from its end, in bytes, a log is searched for its last lines."""


def log_path(root: str, address: str) -> str:
    """Return where the output of a stage (named as from the root) goes."""
    return os.path.join(root, ".mlx", "logs", slug(address) + ".log")


def start_log(path: str, stage: Stage) -> None:
    """Begin a stage's log with its commands, as a shell with `set -x` would show them."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        for command in commands(stage):
            file.write(f"+ {command}\n")


def tail(path: str, lines: int) -> list[str]:
    """Return the last lines of a log; of a line that was overwritten (`\\r`), what remained."""
    reach = 400 * lines
    while True:
        try:
            with open(path, "rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - reach))
                text = file.read().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return []
        if reach < size:  # the first piece may be cut
            text = re.split("[\r\n]", text, maxsplit=1)[-1]
        found = [line.rstrip("\r").rsplit("\r", 1)[-1].rstrip() for line in text.split("\n")]
        found = [line for line in found if line]
        if len(found) >= lines or reach >= min(size, FARTHEST):
            return found[-lines:]
        reach *= 4


def save(root: str, result: Result) -> None:
    """Remember a stage's last run."""
    record = {
        "run": result.run,
        "stage": result.stage.address(root),
        "outcome": result.outcome,
        "reasons": [
            {"kind": one.kind, "what": one.what, "detail": one.detail} for one in result.reasons
        ],
        "ended": time.time(),
        "seconds": round(result.seconds, 3),
        "error": str(result.error) if result.error else None,
    }
    write_atomic(_path(root, result.stage), json.dumps(record).encode(), sync=False)


def last(root: str, stage: Stage) -> dict[str, Any] | None:
    """Return what `save` remembered of a stage, or None."""
    try:
        with open(_path(root, stage), encoding="utf-8") as file:
            record: dict[str, Any] = json.load(file)
    except (OSError, ValueError):
        return None
    return record


def _path(root: str, stage: Stage) -> str:
    return os.path.join(root, ".mlx", "runs", slug(stage.address(root)) + ".json")

"""The projects that are worked on."""

import json
import random
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import TOOLS, run


def start(folder: Path, env: Mapping[str, str]) -> Path:
    """An empty Git and DVC project with one commit."""
    folder.mkdir(parents=True)
    git = ["git", "-c", "init.defaultBranch=main"]
    subprocess.run([*git, "init", "-q", "--template="], cwd=folder, env=dict(env), check=True)
    run([*TOOLS["dvc"], "init", "-q"], folder, env)
    for args in (["add", "-A"], ["commit", "-q", "-m", "start"]):
        subprocess.run([*git, *args], cwd=folder, env=dict(env), check=True)
    return folder


def _write(folder: Path, stages: dict[str, Any]) -> None:
    # JSON is YAML: no library decides how the file is written.
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}, indent=1))


def chains(folder: Path, count: int) -> None:
    """`count` trivial stages in chains of ten, each chain from a source of its own."""
    stages: dict[str, Any] = {}
    for number in range(count):
        if number % 10 == 0:
            before = f"in{number // 10}"
            (folder / before).write_text(f"{number}\n")
        out = f"out{number}"
        stages[f"s{number}"] = {"cmd": f"cat {before} > {out}", "deps": [before], "outs": [out]}
        before = out
    _write(folder, stages)


def sleepers(folder: Path, count: int) -> None:
    """`count` independent stages of one second."""
    stages: dict[str, Any] = {}
    for number in range(count):
        (folder / f"in{number}").write_text(f"{number}\n")
        stages[f"s{number}"] = {
            "cmd": f"sleep 1 && cat in{number} > out{number}",
            "deps": [f"in{number}"],
            "outs": [f"out{number}"],
        }
    _write(folder, stages)


def small_files(folder: Path, count: int, size: int = 4096, each: int = 500) -> None:
    """`count` files of `size` random bytes in `data/`, `each` in a folder."""
    bytes_of = random.Random(count).randbytes
    for number in range(count):
        inner = folder / "data" / f"{number // each:03}"
        if number % each == 0:
            inner.mkdir(parents=True)
        (inner / f"{number % each}.bin").write_bytes(bytes_of(size))


def big_file(folder: Path, mib: int) -> None:
    """One file of `mib` MiB of random bytes."""
    bytes_of = random.Random(mib).randbytes
    with (folder / "big.bin").open("wb") as file:
        for _ in range(mib):
            file.write(bytes_of(2**20))


def copy(source: Path, target: Path) -> Path:
    """A fresh copy; whatever was there is gone."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)
    return target

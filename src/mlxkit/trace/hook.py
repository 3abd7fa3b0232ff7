"""Watching Python from inside: a `sitecustomize` that every Python of a stage imports."""

import ast
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping

from mlxkit.trace.events import Event

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "injected")
_ASSIGNED = re.compile(r"(?<![\w$])PYTHONPATH=(?=[^\s;&|)])")


def variables(env: Mapping[str, str], log: str, top: str) -> dict[str, str]:
    """Return `env` with what makes each Python write to `log` what it does below `top`."""
    before = env.get("PYTHONPATH")
    path = FOLDER + os.pathsep + before if before else FOLDER
    return {**env, "PYTHONPATH": path, "MLX_TRACE_LOG": log, "MLX_TRACE_TOP": top}


def kept_on_path(command: str) -> str:
    """Return a command that keeps our folder on PYTHONPATH where it sets that itself."""
    return _ASSIGNED.sub(f"PYTHONPATH={shlex.quote(FOLDER)}:", command)


def read(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events that Pythons wrote; a line that a kill cut short is passed over."""
    for line in lines:
        try:
            kind, pid, what, where = ast.literal_eval(line)
            yield Event(kind, int(pid), what, where)
        except (ValueError, SyntaxError, TypeError):
            continue

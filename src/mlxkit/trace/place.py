"""Which paths count: files of the repository that are no tool's own."""

import ast
import os
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from mlxkit.pipeline.spec import Stage, inside

_OF_TOOLS = frozenset(
    [
        *(".git", ".dvc", ".mlx", ".venv", "venv", ".tox", ".nox", ".pixi", ".direnv"),
        *("__pycache__", "site-packages", "dist-packages", "node_modules", ".ipynb_checkpoints"),
    ]
)
# They say what the pipeline and its environment are; both have ways of their own to be watched.
_NAMES = frozenset(
    [
        *("dvc.yaml", "dvc.lock", ".dvcignore", ".gitignore", ".gitattributes", ".gitmodules"),
        *("pyproject.toml", "uv.toml", "uv.lock", "poetry.lock", "pdm.lock", "pixi.lock"),
        *("pixi.toml", "Pipfile", "Pipfile.lock", ".python-version", "pyvenv.cfg", "setup.cfg"),
    ]
)
_BYTECODE = re.compile(r"(.+?)\.[a-z]+-?\d+[^/]*\.pyc")


class Declared(NamedTuple):
    """What a stage declares: absolute paths."""

    names: tuple[str, ...]
    """The deps as declared; `deps` are these, and where links among them lead."""
    deps: tuple[str, ...]
    params: tuple[str, ...]
    outs: tuple[str, ...]

    def covers(self, path: str) -> bool:
        """Tell whether a file is declared as read: itself, or a folder around it."""
        return any(inside(path, one) for one in (*self.deps, *self.params, *self.outs))


def declared_by(stage: Stage) -> Declared:
    """Return what a stage declares, links followed besides."""
    return Declared(
        tuple(dep.abs for dep in stage.deps),
        _with_real(dep.abs for dep in stage.deps),
        _with_real(one.abs for one in stage.params),
        _with_real(out.abs for out in stage.outs),
    )


def source_of(path: str) -> str:
    """Return the source that a file of bytecode was made of; any other path as it is."""
    folder, name = os.path.split(path)
    if not name.endswith(".pyc"):
        return path
    if os.path.basename(folder) == "__pycache__":
        found = _BYTECODE.fullmatch(name)
        return os.path.join(os.path.dirname(folder), f"{found[1]}.py") if found else path
    return path[:-1]


def counts(path: str, top: str) -> bool:
    """Tell whether a path below `top` is the user's: no tool's folder, no environment."""
    if path == top or not inside(path, top):
        return False
    parts = os.path.relpath(path, top).split(os.sep)
    if any(part in _OF_TOOLS or part.endswith((".egg-info", ".dist-info")) for part in parts):
        return False
    if parts[-1] in _NAMES or parts[-1].endswith(".dvc"):
        return False
    return not _in_environment(os.path.dirname(path), top)


@lru_cache(maxsize=4096)
def _in_environment(folder: str, top: str) -> bool:
    """Tell whether a folder is in a virtual environment, of whatever name."""
    if folder == top:
        return False
    marks = ("pyvenv.cfg", "conda-meta")
    if any(os.path.exists(os.path.join(folder, one)) for one in marks):
        return True
    return _in_environment(os.path.dirname(folder), top)


def has_hidden_folder(path: str, top: str) -> bool:
    """Tell whether a folder on the way to `path` begins with a dot, as those of tools do."""
    return any(one.startswith(".") for one in os.path.relpath(path, top).split(os.sep)[:-1])


def is_blank(path: str) -> bool:
    """Tell whether a Python file has no code: nothing, comments, or a text that describes it."""
    if not path.endswith(".py"):
        return False
    try:
        with open(path, "rb") as file:
            body = ast.parse(file.read()).body
    except (OSError, ValueError, SyntaxError):
        return False
    return all(isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) for one in body)


def _with_real(paths: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for path in paths:
        found[path] = found[os.path.realpath(path)] = None
    return tuple(found)

"""What the project's files declare: stages with their dependencies, parameters and outputs."""

import os
from collections.abc import Container, Iterator, Mapping
from typing import Any, NamedTuple

DEFAULT_PARAMS = "params.yaml"

Entry = dict[str, Any]
"""A stage's part of `dvc.lock`: cmd, deps, params, outs."""


class Dep(NamedTuple):
    """A file or folder that a stage reads; `path` as written, `abs` where it is."""

    path: str
    abs: str


class Params(NamedTuple):
    """Keys of a parameter file; no keys means the whole file."""

    path: str
    abs: str
    keys: tuple[str, ...]


class Out(NamedTuple):
    """A file or folder that a stage writes."""

    path: str
    abs: str
    cache: bool = True
    metric: bool = False
    plot: bool = False
    persist: bool = False
    push: bool = True
    remote: str | None = None
    """The remote that this output alone is kept in."""


class Needs(NamedTuple):
    """What a stage asks of the machine in `meta: {mlx: ...}`; memory in bytes, 0 = nothing said."""

    cpus: float = 0
    memory: int = 0
    gpus: float = 0
    exclusive: bool = False


class Stage(NamedTuple):
    """One stage of a `dvc.yaml`, or one `.dvc` file (`name` is None)."""

    file: str
    """Absolute path of the file that declares it."""
    name: str | None
    wdir: str
    cmd: str | list[str] | None
    deps: tuple[Dep, ...] = ()
    params: tuple[Params, ...] = ()
    outs: tuple[Out, ...] = ()
    frozen: bool = False
    always: bool = False
    desc: str | None = None
    needs: Needs = Needs()
    env: bool = False
    """Whether the environment that the command runs in is an input: `meta: {mlx: {env: true}}`."""
    recorded: Entry | None = None
    """For a `.dvc` file: what it records of its outputs, in the shape of a lock entry."""
    delegated: str | None = None
    """Why DVC itself must judge and commit this stage (remote paths, imports, 2.x hashes)."""

    @property
    def key(self) -> str:
        """A name that is unique in the project."""
        return f"{self.file}:{self.name}" if self.name is not None else self.file

    @property
    def is_source(self) -> bool:
        """True for data that `dvc add` or an import brought in: nothing is run."""
        return self.cmd is None

    @property
    def is_callback(self) -> bool:
        """A command without inputs and outputs is run every time."""
        return self.cmd is not None and not (self.deps or self.params or self.outs)

    @property
    def lock_path(self) -> str:
        """The lock file that holds this stage's entry."""
        return os.path.splitext(self.file)[0] + ".lock"

    def address(self, base: str) -> str:
        """Name the stage as DVC does in folder `base`: `train`, `sub/dvc.yaml:train`, `x.dvc`."""
        file = os.path.relpath(self.file, base)
        if self.name is None:
            return file
        return self.name if file == "dvc.yaml" else f"{file}:{self.name}"


def inside(path: str, folder: str) -> bool:
    """Tell whether the absolute `path` is `folder` or lies in it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def inside_any(path: str, folders: Container[str]) -> bool:
    """Tell whether the absolute `path` is one of many folders, or lies in one."""
    while path not in folders:
        above = os.path.dirname(path)
        if above == path:
            return False
        path = above
    return True


def overlap(one: str, other: str) -> bool:
    """Tell whether one of two absolute paths holds the other."""
    return inside(one, other) or inside(other, one)


def upwards(path: str) -> Iterator[str]:
    """Yield the absolute `path` and every folder above it."""
    yield path
    while (parent := os.path.dirname(path)) != path:
        yield parent
        path = parent


def commands(stage: Stage) -> list[str]:
    """Return the shell commands of a stage in order; a text with several lines is several."""
    if stage.cmd is None:
        return []
    return stage.cmd if isinstance(stage.cmd, list) else stage.cmd.splitlines()


def entry_items(entry: Mapping[str, Any] | None, kind: str) -> dict[str, dict[str, Any]]:
    """Return the `deps` or `outs` of a lock entry by path."""
    return {item["path"]: item for item in (entry or {}).get(kind, ())}

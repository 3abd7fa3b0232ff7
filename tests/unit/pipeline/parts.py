"""Stages, entries and what a decision sees, as plain values in an imaginary project at /p."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlxkit.core.digest import md5_file
from mlxkit.pipeline.declared import Declared
from mlxkit.pipeline.spec import Dep, Entry, Out, Params, Stage

ROOT = "/p"


def out(path: str, **flags: Any) -> Out:
    """An output; `path` relative to the project."""
    return Out(path, os.path.normpath(os.path.join(ROOT, path)), **flags)


def params(path: str, *keys: str) -> Params:
    """Keys of a parameter file; none: the whole file."""
    return Params(path, os.path.join(ROOT, path), keys)


def stage(
    name: str | None,
    deps: Iterable[str] = (),
    outs: Iterable[str | Out] = (),
    *,
    cmd: str | list[str] | None = "run",
    file: str = "dvc.yaml",
    **fields: Any,
) -> Stage:
    """A stage of `/p/dvc.yaml`, or of another file of the project."""
    return Stage(
        file=os.path.join(ROOT, file),
        name=name,
        wdir=ROOT,
        cmd=cmd,
        deps=tuple(Dep(path, os.path.join(ROOT, path)) for path in deps),
        outs=tuple(one if isinstance(one, Out) else out(one) for one in outs),
        **fields,
    )


def declared(*stages: Stage, root: str = ROOT) -> Declared:
    """A project that declares these stages."""
    return Declared(root, {}, stages=list(stages), files=sorted({one.file for one in stages}))


def entry(
    deps: Mapping[str, str] | None = None,
    outs: Mapping[str, str] | None = None,
    params: Mapping[str, Mapping[str, Any]] | None = None,
    cmd: str | list[str] = "run",
) -> Entry:
    """A lock entry; digests by path."""
    found: Entry = {"cmd": cmd}
    for key, items in (("deps", deps), ("outs", outs)):
        if items:
            found[key] = [
                {"path": path, "hash": "md5", "md5": md5, "size": 1} for path, md5 in items.items()
            ]
    if params:
        found["params"] = {path: dict(values) for path, values in params.items()}
    return found


@dataclass
class Seen:
    """The working tree and the cache as a decision sees them; paths relative to the project."""

    files: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cache: Iterable[str] | None = None
    """The digests in the cache; None: whatever is asked for."""

    def md5(self, path: str) -> str | None:
        return self.files.get(os.path.relpath(path, ROOT))

    def values(self, params: Params) -> Mapping[str, Any] | None:
        values = self.parameters.get(params.path)
        if values is None or not params.keys:
            return values
        return {key: values[key] for key in params.keys if key in values}

    def cached(self, md5: str, size: int | None) -> bool:
        return self.cache is None or md5 in self.cache


def digest(path: str) -> str | None:
    """The md5 of a file, None where there is none."""
    try:
        return md5_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return None

"""What one revision declares, with the content of its files: all that a state is made of."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from mlxkit.comparison.content import Cached, Content, OnDisk
from mlxkit.comparison.state import FileValues, Trouble
from mlxkit.comparison.values import Parsed, Unparsed, trouble_of
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import DEFAULT_PARAMS, Stage, entry_items, inside

Recorded = Mapping[str, Mapping[str, Mapping[str, Any]]]


class Declares(NamedTuple):
    """What the project's files declare; paths are relative to the project's root.

    `recorded` is what is on record of each stage's dependencies (`deps`), outputs (`outs`) and
    parameters (`params`), by the path as it is written; `variables` are the values that templates
    take from files.
    """

    stages: tuple[tuple[Stage, Recorded], ...] = ()
    metrics: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    variables: Mapping[str, Mapping[str, Any]] = {}


class Source:
    """One revision to ask for files and their values."""

    def __init__(self, root: str, declares: Declares, content: Content, parsed: Parsed) -> None:
        self.root = root
        self.declares = declares
        self.content = content
        self._parsed = parsed

    def values(self, path: str) -> Any:
        """Return the parsed content of a file; raises Unparsed, OSError."""
        return self._parsed.parse(path, self.content.read(path))

    def expanded(self, paths: list[str]) -> list[str]:
        """Return the files at these paths and in these folders, each once."""
        found: list[str] = []
        for path in paths:
            inner = self.content.files_below(path)
            found += [path] if inner is None else inner
        return list(dict.fromkeys(found))

    def paths(self) -> list[str]:
        """Return where all metrics and parameters are, files and folders."""
        declares = self.declares
        stages = [stage for stage, _ in declares.stages]
        found = [one.abs for stage in stages for one in stage.params]
        found += [out.abs for stage in stages for out in stage.outs if out.metric]
        inner = [self.relative(path) for path in found]
        return list(dict.fromkeys([*inner, *declares.metrics, *declares.params, DEFAULT_PARAMS]))

    def relative(self, path: str) -> str:
        """Return an absolute path relative to the project's root."""
        return relative(path, self.root)


def failed(path: str, error: Unparsed | OSError) -> FileValues:
    """Return what stands for a file that cannot be read."""
    if isinstance(error, OSError) and error.errno is not None:
        return FileValues(error=Trouble(type(error).__name__, f"{path}: {error.strerror}"))
    return FileValues(error=trouble_of(path, error))


def relative(path: str, root: str) -> str:
    """Return a path relative to the root; quick for the many that lie in it."""
    return path[len(root) + 1 :] if path.startswith(root + os.sep) else os.path.relpath(path, root)


def of_workspace(session: Session, parsed: Parsed) -> Source:
    """Return the working tree as a source."""
    declared, root = session.declared, session.root
    stages = []
    for stage in declared.stages:
        entry = stage.recorded if stage.recorded is not None else session.locks.entry(stage)
        stages.append((stage, recorded_of(entry)))
    declares = Declares(
        tuple(stages),
        tuple(relative(path, root) for path in declared.metrics),
        tuple(relative(path, root) for path in declared.params),
        declared.vars,
    )
    content = Content(OnDisk(root), cached_of(root, declares), session.workspace.store)
    return Source(root, declares, content, parsed)


def recorded_of(entry: Mapping[str, Any] | None) -> Recorded:
    """Return what a lock entry, or a `.dvc` file, has on record."""
    params = (entry or {}).get("params") or {}
    return {
        "deps": entry_items(entry, "deps"),
        "outs": entry_items(entry, "outs"),
        "params": params,
    }


def cached_of(root: str, declares: Declares) -> dict[str, Cached]:
    """Return the outputs in the cache by path."""
    found = {}
    for stage, recorded in declares.stages:
        for out in stage.outs:
            if out.cache and inside(out.abs, root):
                md5 = recorded["outs"].get(out.path, {}).get("md5")
                is_dir = str(md5).endswith(".dir")
                found[relative(out.abs, root)] = Cached(md5, is_dir)
    return found

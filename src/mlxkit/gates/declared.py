"""What a revision's files declare: its metrics files, and what the lock records of all outputs.

A commit's never changes, and to find it out may take DVC (templates), so it is remembered.
"""

import os
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.comparison.source import Source
from mlxkit.core.memory import cache_path, recall, remember

_KEPT = 20
_FORMAT = 2


class Out(NamedTuple):
    """What the lock has of an output: no digest where it was never made.

    `legacy` is of DVC 2: the digest is of the text with Unix line ends. `cached` outputs are not
    in Git.
    """

    md5: str | None
    legacy: bool
    cached: bool

    @property
    def is_dir(self) -> bool:
        """Tell whether it is a directory."""
        return (self.md5 or "").endswith(".dir")


class Shape(NamedTuple):
    """The metrics files, and all outputs by path from the root."""

    files: Sequence[str]
    outs: Mapping[str, Out]


def shape_of(source: Source) -> Shape:
    """Return the shape of a revision."""
    outs = outs_of(source)
    stages = (stage for stage, _ in source.declares.stages)
    paths = [posixpath.normpath(source.relative(out.abs)) for stage in stages
             for out in stage.outs if out.metric]  # fmt: skip
    found = source.expanded([*paths, *source.declares.metrics])
    return Shape([posixpath.normpath(one) for one in found], outs)


def outs_of(source: Source) -> dict[str, Out]:
    """Return what the revision's lock has of all outputs, and `.dvc` files of their data."""
    outs: dict[str, Out] = {}
    for stage, recorded in source.declares.stages:
        for out in stage.outs:
            item = recorded["outs"].get(out.path, {})
            path = posixpath.normpath(source.relative(out.abs))
            outs[path] = Out(item.get("md5"), "md5" in item and "hash" not in item, out.cache)
    return outs


def made_of(source: Source) -> list[str | None]:
    """Return the recorded md5 of what stages write; None for what was never made."""
    return [
        recorded["outs"].get(out.path, {}).get("md5")
        for stage, recorded in source.declares.stages
        for out in stage.outs
        if stage.name is not None
    ]


def code_of(source: Source) -> list[str]:
    """Return the Python files that stages depend on."""
    found = (dep.path for stage, _ in source.declares.stages for dep in stage.deps)
    return sorted({one for one in found if one.endswith(".py")})


def above(path: str, outs: Mapping[str, Out]) -> str | None:
    """Return the output that a path is, or lies in."""
    while path:
        if path in outs:
            return path
        path = os.path.dirname(path) if path != "/" else ""
    return None


class Shapes:
    """The shapes of commits, remembered in one file under `.mlx/cache`."""

    def __init__(self, root: str, key: str) -> None:
        """`key` is what shapes depend on besides the commit."""
        self._path = cache_path(root, "gates.json")
        self._key = f"{_FORMAT} {key}"
        self._known: dict[str, Any] | None = None

    def get(self, commit: str) -> Shape | None:
        """Return what is remembered of a commit."""
        told = self._all().get(commit)
        if told is None:
            return None
        try:
            return Shape(told[0], {path: Out(*one) for path, one in told[1].items()})
        except (TypeError, AttributeError, IndexError, KeyError):
            return None

    def put(self, commit: str, shape: Shape) -> None:
        """Remember a commit's shape; failing to is no error."""
        known = self._all()
        known[commit] = [list(shape.files), dict(shape.outs)]
        kept = dict(list(known.items())[-_KEPT:])
        remember(self._path, {"key": self._key, "commits": kept})

    def _all(self) -> dict[str, Any]:
        if self._known is None:
            told = recall(self._path)
            known = told.get("commits") if told.get("key") == self._key else None
            self._known = known if isinstance(known, dict) else {}
        return self._known

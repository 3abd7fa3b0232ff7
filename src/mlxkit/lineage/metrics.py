"""The metrics that stages wrote, as they are in Git at the commits that recorded them."""

import json
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.core import yaml
from mlxkit.core.errors import MlxError
from mlxkit.core.limits import excess
from mlxkit.lineage import blobs
from mlxkit.lineage.index import Index
from mlxkit.lineage.inside import cached
from mlxkit.lineage.placed import from_top
from mlxkit.lineage.productions import Production
from mlxkit.lineage.schema import OUT
from mlxkit.lineage.writer import chunks
from mlxkit.metrics.load import keep_metrics

Values = Mapping[str, Mapping[str, Any]]

TEMPLATE = re.compile(r"\$\{[^}]*\}")
_MOST = 1000
"""Nodes whose metrics are read; an answer with more is looked at for other things."""


class Wanted(NamedTuple):
    """Outputs (digest by path), some of which may be metrics that `file` declares.

    At a commit, or in the working tree where that is empty.
    """

    commit: str
    file: str
    outs: Mapping[str, str]


def stage_metrics(index: Index, made: Iterable[Production]) -> dict[str, Values]:
    """Return, by digest, the metrics that the stage wrote which made it: values by file."""
    chosen = [one for one in made if one.name is not None and one.on_file][:_MOST]
    outs = _outs(index, {one.recipe for one in chosen})
    wanted = [Wanted(one.commit or "", one.file, outs.get(one.recipe, {})) for one in chosen]
    found = read_metrics(index, wanted)
    return {one.md5: values for one, values in zip(chosen, found, strict=True)}


def read_metrics(index: Index, wanted: Sequence[Wanted]) -> list[Values]:
    """Return what each asks for, values by file; what cannot be read is left out."""
    if not wanted:
        return []
    declared = _Declared(index.git_root, [(one.commit, one.file) for one in wanted])
    paths = [
        [path for path in one.outs if declared.is_metric(one.commit, one.file, path)]
        for one in wanted
    ]
    texts = _texts(
        index.git_root,
        [(one.commit, path) for one, each in zip(wanted, paths, strict=True) for path in each],
    )
    found: list[Values] = []
    for one, each in zip(wanted, paths, strict=True):
        values: dict[str, Mapping[str, Any]] = {}
        for path in each:
            data = texts.get((one.commit, path))
            if data is None:
                data = cached(index.root, one.outs[path])
            kept = _parsed(path, data) if data is not None else None
            if kept:
                values[path] = kept
        found.append(values)
    return found


def _texts(git_root: str, asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
    """Return the content of files (commit, or empty, and path), each version read once."""
    pairs = list(dict.fromkeys(asked))
    ids = blobs.lookup(git_root, [f"{commit}:{path}" for commit, path in pairs if commit])
    texts = blobs.blobs(git_root, ids.values())
    found = {}
    for commit, path in pairs:
        data = texts.get(ids.get(f"{commit}:{path}", "")) if commit else None
        if not commit:
            try:
                with open(os.path.join(git_root, path), "rb") as file:
                    data = file.read()
            except OSError:
                continue
        if data is not None:
            found[commit, path] = data
    return found


class _Declared:
    """Which outputs are metrics, as the `dvc.yaml` of each commit says."""

    def __init__(self, git_root: str, asked: Iterable[tuple[str, str]]) -> None:
        self._texts = _texts(git_root, asked)
        self._patterns: dict[tuple[bytes, str], list[list[str]]] = {}

    def is_metric(self, commit: str, file: str, path: str) -> bool:
        data = self._texts.get((commit, file))
        if data is None:
            return False
        key = (data, file)
        if key not in self._patterns:
            found = _metrics(os.path.dirname(file), data) if b"metrics" in data else ()
            self._patterns[key] = [TEMPLATE.split(one) for one in found]
        return any(fits(one, path) for one in self._patterns[key])


def _metrics(folder: str, data: bytes) -> Iterator[str]:
    """Yield the metrics that a `dvc.yaml` declares, templates not filled in."""
    try:
        document = yaml.load(data)
    except (MlxError, RecursionError):
        return
    document = document if isinstance(document, dict) else {}
    yield from (from_top(folder or ".", path) for path in _paths(document.get("metrics")))
    stages = document.get("stages")
    for stage in stages.values() if isinstance(stages, dict) else ():
        body = stage.get("do", stage) if isinstance(stage, dict) else None
        if isinstance(body, dict):
            wdir = body.get("wdir", ".")
            base = posixpath.join(folder, wdir if isinstance(wdir, str) else ".")
            yield from (from_top(base or ".", path) for path in _paths(body.get("metrics")))


def _paths(items: Any) -> Iterator[str]:
    for item in items if isinstance(items, list) else ():
        yield from (item if isinstance(item, dict) else [str(item)])


def fits(parts: Sequence[str], path: str) -> bool:
    """Tell whether a path has these parts in order, with something between each two.

    By hand, as a pattern of `.+` could take a regular expression for ever.
    """
    if len(parts) == 1:
        return path == parts[0]
    if not path.startswith(parts[0]):
        return False
    at = len(parts[0])
    for part in parts[1:-1]:
        found = path.find(part, at + 1)
        if found < 0:
            return False
        at = found + len(part)
    return path.endswith(parts[-1]) and at < len(path) - len(parts[-1])


def _parsed(path: str, data: bytes) -> Mapping[str, Any] | None:
    try:
        if path.endswith(".json"):
            value = json.loads(data)
        elif path.endswith(".toml"):
            import tomllib

            value = tomllib.loads(data.decode())
        else:
            value = yaml.load(data)
    except (MlxError, ValueError, RecursionError):
        return None
    kept = None if excess(value) else keep_metrics(value)
    return kept if isinstance(kept, Mapping) else None if kept is None else {"": kept}


def _outs(index: Index, recipes: Iterable[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for part in chunks(sorted(recipes)):
        for recipe, path, md5 in index.db.execute(
            "SELECT recipe, path, md5 FROM uses JOIN things ON thing = things.id"
            f" WHERE role = ? AND recipe IN ({','.join('?' * len(part))})",
            (OUT, *part),
        ):
            found.setdefault(recipe, {})[path] = md5
    return found

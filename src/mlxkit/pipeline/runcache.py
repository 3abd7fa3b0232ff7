"""DVC's run-cache: what a stage made from given inputs, found again by the digest of the inputs.

A file `runs/<k[:2]>/<k>/<v>` is one lock entry; `k` is the sha256 of the entry with its outputs
reduced to paths, `v` that of the whole. DVC drops every key named `size` or `nfiles` from both,
parameters of that name included, so two different parameter sets share a `k`. We keep the names
on disk, and compare the inputs in full before anything is restored.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

from mlxkit.core.errors import MlxError
from mlxkit.core.files import make_folders, write_atomic
from mlxkit.core.yaml import dumps, load
from mlxkit.pipeline.spec import Entry, Stage, inside

DROPPED = ("size", "nfiles")


class RunCache:
    """The run-cache below one cache folder."""

    def __init__(self, cache_dir: str, root: str, *, shared: bool) -> None:
        self.scratch = cache_dir
        self._folder = os.path.join(cache_dir, "runs")
        self._root = root
        self._shared = shared

    def keeps(self, stage: Stage) -> bool:
        """Tell whether DVC keeps results of this stage at all."""
        return (
            bool(stage.cmd and (stage.deps or stage.params) and stage.outs)
            and not stage.always
            and not stage.delegated
            and all(not out.persist and inside(out.abs, self._root) for out in stage.outs)
        )

    def key(self, entry: Entry) -> str | None:
        """Return the digest of the inputs that results are found by; None where there is none."""
        return _digest(_reduced(entry))

    def find(self, entry: Entry) -> Iterator[Entry]:
        """Yield kept entries with the same command, dependencies and parameters, newest first."""
        key = self.key(entry)
        if key is None:
            return
        folder = os.path.join(self._folder, key[:2], key)
        wanted = inputs_of(entry)
        for name in _newest_first(folder):
            kept = _read(os.path.join(folder, name))
            if kept is not None and inputs_of(kept) == wanted:
                yield kept

    def save(self, entry: Entry) -> None:
        """Keep what a stage made; an entry that is there already stays as it is."""
        key, value = self.key(entry), _digest(entry)
        if key is None or value is None:
            return
        path = os.path.join(self._folder, key[:2], key, value)
        kept = _read(path)
        if kept is not None and _digest(kept) == value:
            return
        make_folders(os.path.dirname(path), 0o2775 if self._shared else None)
        mode = 0o664 if self._shared else None
        # Prepared outside `runs/`, all of which DVC sends to remotes.
        data = dumps(entry).encode()
        write_atomic(path, data, mode=mode, sync=False, scratch=self.scratch)


def _reduced(entry: Entry) -> Entry:
    return {**entry, "outs": [out["path"] for out in entry.get("outs") or ()]}


def _digest(entry: Entry) -> str | None:
    """Return DVC's digest of an entry, or None where it has none (a date among the parameters)."""
    try:
        text = json.dumps(_without_sizes(entry), sort_keys=True)
    except TypeError:
        return None
    import hashlib

    return hashlib.sha256(text.encode(), usedforsecurity=False).hexdigest()


def _without_sizes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_sizes(item) for key, item in value.items() if key not in DROPPED}
    return [_without_sizes(item) for item in value] if isinstance(value, list) else value


def inputs_of(entry: Entry) -> Any:
    """Return everything that decides a result, to be compared; 1, 1.0 and true are not the same."""
    deps = [[dep["path"], dep.get("md5")] for dep in entry.get("deps") or ()]
    outs = [out["path"] for out in entry.get("outs") or ()]
    return _exact([entry.get("cmd"), deps, entry.get("params") or {}, outs])


def _exact(value: Any) -> Any:
    """Spell a value out, so that equal means equal in type, too, and the order of keys is none."""
    if isinstance(value, dict):
        return sorted((repr(key), _exact(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return [_exact(item) for item in value]
    return repr(value)


def _newest_first(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as listing:
            found = [(one.stat().st_mtime_ns, one.name) for one in listing]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name for _, name in sorted(found, reverse=True) if not name.startswith(".")]


def _read(path: str) -> Entry | None:
    """Return a kept entry, or None where there is none that can be trusted to be whole."""
    try:
        with open(path, "rb") as file:
            return parse_entry(file.read())
    except OSError:
        return None


def parse_entry(data: bytes) -> Entry | None:
    """Return the entry that these bytes are, or None where they are none; anyone may write them."""
    try:
        entry = load(data, "run-cache")
        json.dumps(entry, default=str)  # refuses what holds itself, which YAML can say
    except (MlxError, ValueError, TypeError, RecursionError):
        return None
    whole = isinstance(entry, dict) and "cmd" in entry and _items_are_whole(entry)
    return entry if whole else None


def _items_are_whole(entry: Entry) -> bool:
    groups = [entry.get("deps") or [], entry.get("outs") or []]
    return all(
        isinstance(group, list)
        and all(isinstance(one, dict) and "path" in one and "md5" in one for one in group)
        for group in groups
    )

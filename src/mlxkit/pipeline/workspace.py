"""What the working tree and the cache hold right now: the `Look` that plans are made with."""

import os
from collections.abc import Mapping
from typing import Any

from mlxkit.pipeline.lockfile import ParseCache
from mlxkit.pipeline.params import pick, read_file, survives_json
from mlxkit.pipeline.spec import Params, Stage
from mlxkit.store.objects import ObjectStore
from mlxkit.store.state import State
from mlxkit.store.tree import Content, describe
from mlxkit.store.walk import Ignore


class Workspace:
    """Answers about paths, remembered until `forget()`: while a stage runs, anything may change."""

    def __init__(
        self, state: State, store: ObjectStore, parses: ParseCache, ignore: Ignore | None
    ) -> None:
        self._state = state
        self._parses = parses
        self.store = store
        self.ignore = ignore
        self._contents: dict[str, Content | None] = {}
        self._parsed: dict[str, tuple[str, Any]] = {}
        self._cached: dict[str, bool] = {}

    def forget(self) -> None:
        """Look anew from now on."""
        self._contents.clear()
        self._cached.clear()

    def content(self, path: str) -> Content | None:
        """Describe a file or folder; None where there is none. Raises MlxError if unreadable."""
        if path not in self._contents:
            self._contents[path] = describe(path, self._state, self.ignore)
        return self._contents[path]

    def learn(self, path: str, content: Content) -> None:
        """Note what a path holds, for the one who has just made it so."""
        self._contents[path] = content

    def drop(self, path: str) -> None:
        """Look anew at one path."""
        self._contents.pop(path, None)

    def lay_out(self, stage: Stage, *, outs: bool = False) -> None:
        """Make sure that what a stage reads is there; in a working tree, its user has."""

    def md5(self, path: str) -> str | None:
        found = self.content(path)
        return found.md5 if found is not None else None

    def values(self, params: Params) -> Mapping[str, Any] | None:
        """Return the declared parameters that are there; None where there is no file."""
        md5 = self.md5(params.abs)
        if md5 is None:
            return None
        known = self._parsed.get(params.abs)
        if known is None or known[0] != md5:
            known = (md5, self._read(params.abs, md5))
            self._parsed[params.abs] = known
        return pick(known[1], params)

    def _read(self, path: str, md5: str) -> Any:
        key = f"params:{os.path.splitext(path)[1]}:{md5}"
        values = self._parses.get(key)
        if values is None:
            values = read_file(path)
            if survives_json(values):
                self._parses.put(key, values)
        return values

    def cached(self, md5: str, size: int | None) -> bool:
        if md5 not in self._cached:
            self._cached[md5] = self.store.has(md5, size)
        return self._cached[md5]

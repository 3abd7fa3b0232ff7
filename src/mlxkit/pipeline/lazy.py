"""A working tree whose recorded data count as there before they are laid out.

A place that was made for one run has what Git has, and none of the data. Laying all of it out, as
`dvc checkout` would, may take longer than the run. So whoever asks for the content of an output
that is not there gets what is recorded of it, as far as the cache has it; the files come when a
command is about to read them.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mlxkit.pipeline.spec import Entry, Out, Params, Stage, entry_items, upwards
from mlxkit.pipeline.workspace import Workspace
from mlxkit.store.checkout import checkout
from mlxkit.store.objects import is_directory
from mlxkit.store.tree import Content

Recorded = Callable[[Stage], Entry | None]


class LazyWorkspace(Workspace):
    """The `Workspace` of such a place; `attach` must be called before it is asked anything."""

    _outs: Mapping[str, tuple[Stage, Out]]
    _below: Mapping[str, list[str]]
    _recorded: Recorded

    def attach(self, stages: Iterable[Stage], recorded: Recorded) -> None:
        """Tell what the project's stages write, and what is recorded of it. Raises OSError."""
        self._outs = {out.abs: (one, out) for one in stages for out in one.outs if out.cache}
        self._recorded = recorded
        below: dict[str, list[str]] = {}
        for path in self._outs:
            for folder in upwards(os.path.dirname(path)):
                below.setdefault(folder, []).append(path)
        self._below = below
        for path in self._outs:
            if self._item(path) is not None:  # a checkout would have made the folder, too
                os.makedirs(os.path.dirname(path), exist_ok=True)

    def content(self, path: str) -> Content | None:
        self._bring_around(path)
        item = self._absent(path)
        if item is None:
            return super().content(path)
        entries = self.store.read_tree(item["md5"]) if is_directory(item["md5"]) else None
        isexec = bool(item.get("isexec"))
        return Content(item["md5"], item["size"], item.get("nfiles"), isexec, entries)

    def md5(self, path: str) -> str | None:
        self._bring_around(path)
        item = self._absent(path)
        return item["md5"] if item is not None else super().md5(path)

    def values(self, params: Params) -> Mapping[str, Any] | None:
        self._bring(params.abs)
        return super().values(params)

    def lay_out(self, stage: Stage, *, outs: bool = False) -> None:
        """Lay out what a stage reads, and goes on from; with `outs`, also what it wrote."""
        for dep in stage.deps:
            self._bring(dep.abs)
        for out in stage.outs:
            os.makedirs(os.path.dirname(out.abs), exist_ok=True)
            if outs or out.persist:
                self._bring(out.abs)

    def _bring(self, path: str) -> None:
        self._bring_around(path)
        item = self._absent(path)
        if item is not None:
            isexec = bool(item.get("isexec"))
            checkout(item["md5"], path, self.store, isexec=isexec, ignore=self.ignore)
            self.drop(path)

    def _bring_around(self, path: str) -> None:
        """Lay out what lies in a folder, or the folder that a path is in."""
        for one in self._below.get(path, ()):
            self._bring(one)
        for folder in upwards(os.path.dirname(path)):
            if folder in self._outs:
                self._bring(folder)

    def _absent(self, path: str) -> dict[str, Any] | None:
        """Return what is recorded of an output that is not there but could be laid out."""
        item = self._item(path)
        if item is None or os.path.lexists(path) or not self.cached(item["md5"], item["size"]):
            return None
        return item

    def _item(self, path: str) -> dict[str, Any] | None:
        stage, out = self._outs.get(path, (None, None))
        if stage is None or out is None:
            return None
        item = entry_items(self._recorded(stage), "outs").get(out.path)
        whole = item is not None and "md5" in item and item.get("size") is not None
        return item if whole else None

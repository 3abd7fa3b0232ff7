"""Who makes a path: the stage or `.dvc` file with that output, and what is recorded of it."""

import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from mlxkit.pipeline.spec import Entry, Out, Stage, entry_items

Item = Mapping[str, Any]


class Maker(NamedTuple):
    """An output with its record, None where it has none; `part` is what is meant inside of it."""

    stage: Stage
    out: Out
    item: Item | None
    part: str = ""


class Makers:
    """The outputs of all stages, found by path."""

    def __init__(self, stages: Iterable[Stage], entry: Callable[[Stage], Entry | None]) -> None:
        self._by_path: dict[str, Maker] = {}
        for stage in stages:
            recorded = stage.recorded if stage.recorded is not None else entry(stage)
            items = entry_items(recorded, "outs")
            for out in stage.outs:
                self._by_path[out.abs] = Maker(stage, out, items.get(out.path))
        self._paths = sorted(self._by_path)

    def exact(self, path: str) -> Maker | None:
        """Return who makes just this path."""
        return self._by_path.get(path)

    def around(self, path: str) -> Maker | None:
        """Return who makes a folder above the path."""
        folder = path
        while (parent := os.path.dirname(folder)) != folder:
            folder = parent
            if folder in self._by_path:
                return self._by_path[folder]._replace(part=os.path.relpath(path, folder))
        return None

    def below(self, path: str) -> list[tuple[str, Item]]:
        """Return the outputs below a folder with what is recorded of them."""
        start = path.rstrip(os.sep)
        first, last = (bisect_left(self._paths, start + end) for end in ("/", "0"))  # "/" < "0"
        return [(one, self._by_path[one].item or {}) for one in self._paths[first:last]]


def is_legacy(item: Item) -> bool:
    """Tell whether a digest is of DVC 2: of text with Unix line ends."""
    return "md5" in item and "hash" not in item

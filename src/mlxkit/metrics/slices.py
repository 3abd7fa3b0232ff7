"""Slices in a metrics file: which files hold them, and which they are.

A slice is a mapping that holds values, or nothing; what holds mappings only is a group of slices.
So a file may be GROUP: SLICE: METRIC, or SLICE: METRIC alone, or nested deeper.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple


class Slice(NamedTuple):
    """One slice: its group's name, its own, and what the file says of it."""

    group: str
    name: str
    values: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Return what people call it: `sex=female`."""
        return f"{self.group}={self.name}" if self.group else self.name


def slices_of(values: Any, metric: str = "", above: tuple[str, ...] = ()) -> Iterator[Slice]:
    """Yield the slices that a metrics file holds; those inside of one are told by the metric."""
    if not isinstance(values, Mapping):
        return
    groups = bool(values) and all(isinstance(one, Mapping) for one in values.values())
    is_slice = bool(above) and not groups
    if is_slice:
        yield Slice(".".join(above[:-1]), above[-1], values)
    for name, inner in values.items():
        if not is_slice or _holds(inner, metric):
            yield from slices_of(inner, metric, (*above, str(name)))


def is_named_so(path: str) -> bool:
    """Tell whether a metrics file says by its name that it holds slices."""
    return "slice" in posixpath.basename(path).lower()


def judged_files(gates: Mapping[str, Sequence[Mapping[str, Any]]]) -> set[str]:
    """Return the metrics files that `slices` rules of the gates judge."""
    rules = (rule["slices"] for gate in gates.values() for rule in gate if "slices" in rule)
    return {posixpath.normpath(one["file"]) for one in rules}


def _holds(values: Any, metric: str) -> bool:
    return isinstance(values, Mapping) and (
        metric in values or any(_holds(one, metric) for one in values.values())
    )

"""Experiments as rows and columns; the columns are what metrics, parameters and data they have."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.experiments.document import Document
from mlxkit.metrics.load import flatten

_Known = dict[tuple[str, str, int], tuple[Any, dict["Column", Any]]]
"""By kind, path and identity of a file's values: these, so that they stay, and as columns."""

UNREADABLE = object()
"""Stands for a value whose file could not be read."""
FIXED = ("Experiment", "rev", "typ", "Created", "parent", "State", "Executor")
_KINDS = ("metrics", "params", "deps")


class Column(NamedTuple):
    """One metric, parameter or dependency; of a dependency the `path` is all there is."""

    kind: str
    path: str
    name: str = ""

    @property
    def full(self) -> str:
        """Return its name with the file's."""
        return f"{self.path}:{self.name}" if self.name else self.path


class Row(NamedTuple):
    """The working tree, a commit, or (`is_last` of its group or not) an experiment."""

    kind: str
    rev: str
    name: str | None = None
    created: str | None = None
    state: str | None = None
    executor: str | None = None
    values: Mapping[Column, Any] = {}
    unreadable: frozenset[tuple[str, str]] = frozenset()
    """Kind and path of files that cannot be read there."""
    error: str | None = None
    is_last: bool = False

    def value(self, column: Column) -> Any:
        """Return the value in a column, None where there is none; or UNREADABLE."""
        if (column.kind, column.path) in self.unreadable:
            return UNREADABLE
        return self.values.get(column)

    def known(self, column: Column) -> Any:
        """Return the value in a column, None also where it cannot be read."""
        value = self.value(column)
        return None if value is UNREADABLE else value

    @property
    def label(self) -> str:
        """Return the name, else the id in short."""
        return self.name or short(self.rev)


def short(rev: str) -> str:
    """Return an id in short; a name as it is."""
    return rev[:7] if len(rev) in (40, 64) else rev


def read(document: Iterable[Document]) -> list[list[Row]]:
    """Return a group of rows for each commit: itself, then its experiments."""
    groups = []
    # Most commits share most of their files' values: each is taken apart once.
    known: _Known = {}
    for entry in document:
        kind = "workspace" if entry["rev"] == "workspace" else "baseline"
        group = [_row(entry, kind, entry["name"], known)]
        inner = [one for one in entry["experiments"] or () if one["revs"]]
        for number, one in enumerate(inner, 1):
            row = _row(one["revs"][0], "experiment", one["name"], known)
            told = one["executor"] or {}
            row = row._replace(state=told.get("state"), executor=told.get("name"))
            group.append(row._replace(is_last=number == len(inner)))
        groups.append(group)
    return groups


def columns(groups: Iterable[Iterable[Row]]) -> list[Column]:
    """Return all columns: metrics, then parameters, then dependencies by path; each as it came."""
    found: dict[str, dict[str, dict[Column, None]]] = {kind: {} for kind in _KINDS}
    known: dict[Column, None] = {}
    for group in groups:
        for row in group:
            if row.values.keys() <= known.keys():
                continue
            for column in row.values:
                known[column] = None
                found[column.kind].setdefault(column.path, {})[column] = None
    data = [one for kind in _KINDS[:2] for inner in found[kind].values() for one in inner]
    return data + sorted(one for inner in found["deps"].values() for one in inner)


def titles(every: Sequence[Column]) -> dict[Column, str]:
    """Return DVC's title of each column: with the file's name only where several have the name."""
    counts = Counter([*FIXED, *(one.name for one in every if one.kind != "deps")])
    return {
        one: one.path if one.kind == "deps" else one.name if counts[one.name] == 1 else one.full
        for one in every
    }


def by_column(group: Sequence[Row], column: Column, *, descending: bool) -> list[Row]:
    """Return a group with its experiments sorted; those without a value come last."""

    def order(row: Row) -> tuple[bool, Any]:
        value = row.known(column)
        text = isinstance(value, str) or not isinstance(value, (int, float))
        return text, str(value) if text else value

    inner = [row for row in group if row.kind == "experiment"]
    there = [row for row in inner if _has(row, column)]
    there = sorted(there, key=order, reverse=descending)
    found = [*there, *(row for row in inner if not _has(row, column))]
    found = [row._replace(is_last=number == len(found)) for number, row in enumerate(found, 1)]
    return [*(row for row in group if row.kind != "experiment"), *found]


def varying(rows: Sequence[Row], every: Iterable[Column]) -> set[Column]:
    """Return the columns that have not the same value in all rows."""
    return {one for one in every if len({repr(row.value(one)) for row in rows}) > 1}


def best(rows: Iterable[Row], column: Column, better: str | None) -> Any:
    """Return the best value of a metric, None where nobody knows or all are the same."""
    found = [row.values.get(column) for row in rows if row.kind != "workspace"]
    numbers = {
        one
        for one in found
        if isinstance(one, (int, float)) and not isinstance(one, bool) and not math.isnan(one)
    }
    if better is None or len(numbers) < 2:
        return None
    return max(numbers) if better == "higher" else min(numbers)


def _has(row: Row, column: Column) -> bool:
    value = row.known(column)
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def _row(entry: Document, kind: str, name: str | None, known: _Known) -> Row:
    data = entry["data"]
    error = (entry.get("error") or {}).get("msg")
    if data is None:
        return Row(kind, entry["rev"], name, error=error)
    values: dict[Column, Any] = {}
    unreadable = set()
    for part in _KINDS[:2]:
        for path, told in data[part].items():
            if told.get("error"):
                unreadable.add((part, path))
            values.update(_of_file(part, path, told.get("data"), known))
    values.update(_of_deps(data.get("deps", {}), known))
    return Row(
        kind,
        entry["rev"],
        name,
        data.get("timestamp"),
        values=values,
        unreadable=frozenset(unreadable),
        error=error,
    )


def _of_file(kind: str, path: str, data: Any, known: _Known) -> dict[Column, Any]:
    if not isinstance(data, Mapping):
        return {}
    key = (kind, path, id(data))
    if key not in known:
        flat = flatten(data)
        known[key] = (data, {Column(kind, path, name): one for name, one in flat.items()})
    return known[key][1]


def _of_deps(deps: Mapping[str, Any], known: _Known) -> dict[Column, Any]:
    key = ("deps", "", id(deps))
    if key not in known:
        known[key] = (deps, {Column("deps", path): told["hash"] for path, told in deps.items()})
    return known[key][1]

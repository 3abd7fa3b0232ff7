"""What a comparison of two tables found: plain values, for any renderer."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Cell = str | int | float | bool | None


class Stats(NamedTuple):
    """One column on one side; what makes no sense for its type is None or empty.

    `nulls` and `nan` count cells; mean, standard deviation and quantiles are of finite numbers.
    `top` are the most frequent values with their counts.
    """

    rows: int
    nulls: int
    nan: int
    distinct: int
    mean: float | None = None
    std: float | None = None
    p5: float | None = None
    p50: float | None = None
    p95: float | None = None
    top: tuple[tuple[Cell, int], ...] = ()

    @property
    def null_share(self) -> float:
        """The share of cells without a value, 0 to 1."""
        return self.nulls / self.rows if self.rows else 0.0


class Column(NamedTuple):
    """A column of either table; `changed` counts the changed cells of rows matched by key."""

    name: str
    old_type: str | None
    new_type: str | None
    old: Stats | None = None
    new: Stats | None = None
    changed: int | None = None

    @property
    def state(self) -> str:
        """One of added, removed, retyped, same."""
        if self.old_type is None:
            return "added"
        if self.new_type is None:
            return "removed"
        known = "empty" not in (self.old_type, self.new_type)
        return "retyped" if known and self.old_type != self.new_type else "same"


class Changed(NamedTuple):
    """A row that both tables have: its key, and the cells that differ as (old, new) by column."""

    key: Mapping[str, Cell]
    cells: Mapping[str, tuple[Cell, Cell]]


class Row(NamedTuple):
    """A row that one table has, or has `times` times more often."""

    values: Mapping[str, Cell]
    times: int = 1


class RowsDiff(NamedTuple):
    """How two tables differ; the rows listed are the first ones only, in the order of the key.

    Without a key rows are compared as a whole, on the columns that both tables have, and `changed`
    is None. `approximate` tells that distinct counts and quantiles are estimates.
    """

    old: str
    new: str
    old_rows: int
    new_rows: int
    key: Sequence[str]
    added: int
    removed: int
    changed: int | None
    columns: Sequence[Column]
    changed_rows: Sequence[Changed] = ()
    added_rows: Sequence[Row] = ()
    removed_rows: Sequence[Row] = ()
    approximate: bool = False

    @property
    def differs(self) -> bool:
        """Tell whether a row or column is not the same."""
        return bool(self.added or self.removed or self.changed) or any(
            one.state != "same" for one in self.columns
        )


def document(found: RowsDiff) -> dict[str, Any]:
    """Return the comparison as a JSON document."""
    names: dict[str, list[str]] = {"added": [], "removed": [], "retyped": [], "same": []}
    for one in found.columns:
        names[one.state].append(one.name)
    return {
        "old": found.old,
        "new": found.new,
        "key": list(found.key),
        "rows": {
            "old": found.old_rows,
            "new": found.new_rows,
            "added": found.added,
            "removed": found.removed,
            "changed": found.changed,
        },
        "columns": {kind: names[kind] for kind in ("added", "removed", "retyped")},
        "shifts": [_column(one) for one in found.columns],
        "changed": [
            {
                "key": _plain(one.key),
                "cells": {
                    name: {"old": _json(old), "new": _json(new)}
                    for name, (old, new) in one.cells.items()
                },
            }
            for one in found.changed_rows
        ],
        "added": [{"row": _plain(one.values), "count": one.times} for one in found.added_rows],
        "removed": [{"row": _plain(one.values), "count": one.times} for one in found.removed_rows],
        "approximate": found.approximate,
    }


def _column(one: Column) -> dict[str, Any]:
    return {
        "column": one.name,
        "state": one.state,
        "type": {"old": one.old_type, "new": one.new_type},
        "changed": one.changed,
        "old": _stats(one.old),
        "new": _stats(one.new),
    }


def _stats(one: Stats | None) -> dict[str, Any] | None:
    if one is None:
        return None
    found = {
        key: _json(value) for key, value in one._asdict().items() if key not in ("rows", "top")
    }
    return {
        **found,
        "null_share": one.null_share,
        "top": [{"value": _json(value), "count": count} for value, count in one.top],
    }


def _plain(values: Mapping[str, Cell]) -> dict[str, Cell]:
    return {name: _json(value) for name, value in values.items()}


def _json(value: Cell) -> Cell:
    """Return what JSON can hold: NaN and the infinities become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return value

"""A plot's points as a page takes them: numbers as numbers, no more than can be seen, by column."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.plots.thin import every_nth, largest_triangles
from mlxkit.tools.dvc_plots import Plot

Row = Mapping[str, Any]

A_SERIES = 2_000
A_PLOT = 20_000
A_BAR_CHART = 500

# What DVC adds to each row, and what its templates use of them besides x and y.
_ADDED = ("rev", "filename", "field", "filename::field")
_LINES = ("linear", "simple")
_CLOUDS = ("scatter", "scatter_jitter", "smooth")
_BARS = ("bar_horizontal", "bar_horizontal_sorted")
_NUMBER = re.compile(r"\s*[-+]?(?:0|[1-9]\d*|(?=\.\d))(?:\.\d*)?(?:[eE][-+]?\d+)?\s*\Z")
_NO_NUMBER = frozenset(
    f"{sign}{name}" for sign in ("", "+", "-") for name in ("nan", "inf", "infinity")
)


class Rows(NamedTuple):
    """What is drawn of a plot, and what to say of it."""

    rows: list[dict[str, Any]]
    notes: tuple[str, ...]


def prepare(plot: Plot) -> Rows:
    """Return the points of a plot, fewer where there are more than can be seen."""
    rows = [dict(row) for row in plot.points]
    if plot.template is not None:
        used = {*_ADDED, plot.properties.get("x"), plot.properties.get("y")}
        rows = [{key: value for key, value in row.items() if key in used} for row in rows]
    left_out = _make_numbers(rows)
    kept = _fewer(plot, rows)
    notes = []
    if left_out:
        axes = [plot.properties.get("x"), plot.properties.get("y")]
        shown = sum(count for name, count in left_out.items() if name in axes)
        if shown:
            what = "1 value is" if shown == 1 else f"{shown:,} values are"
            notes.append(f"{what} not a finite number and left out")
    if len(kept) < len(rows):
        notes.append(f"{len(kept):,} of {len(rows):,} points are shown, {_how(plot.template)}")
    return Rows(kept, tuple(notes))


def columns(rows: Sequence[Row]) -> dict[str, Any]:
    """Return rows by column, each as short as it can be said: once, in runs, or in full."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {"length": len(rows), "columns": {name: _column(rows, name) for name in names}}


_NOTHING: Any = object()


def _column(rows: Sequence[Row], name: str) -> dict[str, Any]:
    values = [row.get(name, _NOTHING) for row in rows]
    missing = [number for number, value in enumerate(values) if value is _NOTHING]
    plain = [None if value is _NOTHING else value for value in values]
    runs: list[list[Any]] = []
    for value in plain:
        if runs and type(runs[-1][0]) is type(value) and runs[-1][0] == value:
            runs[-1][1] += 1
        else:
            runs.append([value, 1])
    told: dict[str, Any] = {"runs": runs} if len(runs) * 2 < len(plain) else {"values": plain}
    return {**told, "missing": missing} if missing else told


def _make_numbers(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Turn columns of texts that are numbers into numbers; count what is not finite, by column.

    A column with any other text in it stays as it is: names of classes, say. So does `007`.
    """
    left_out: dict[str, int] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        if name in _ADDED:
            continue
        holders = [row for row in rows if name in row]
        values = [row[name] for row in holders]
        values, bad = _finite(_numbers(values) or values)
        if bad:
            left_out[name] = bad
        for row, value in zip(holders, values, strict=True):
            row[name] = value
    return left_out


def _numbers(values: list[Any]) -> list[Any] | None:
    """Return texts as numbers, empty ones as nothing; None where any text is no number."""
    matches = _NUMBER.match
    found: list[Any] = []
    for value in values:
        if not isinstance(value, str):
            if isinstance(value, (bool, list, dict)):
                return None
            found.append(value)
        elif matches(value) or value.strip().lower() in _NO_NUMBER:
            found.append(float(value))
        elif value.strip():
            return None
        else:
            found.append(None)
    return found if any(value is not None for value in found) else None


def _finite(values: list[Any]) -> tuple[list[Any], int]:
    """Return values as JSON has them; count numbers that it has not."""
    found = []
    bad = 0
    for value in values:
        if not isinstance(value, float):
            found.append(_safe(value))
        elif not math.isfinite(value):
            bad += 1
            found.append(None)
        else:
            found.append(int(value) if value.is_integer() and abs(value) < 1e15 else value)
    return found, bad


def _safe(value: Any) -> Any:
    """Return a value that JSON has; what is in lists and mappings of data files may be anything."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _safe(item) for key, item in value.items()}
    return [_safe(item) for item in value] if isinstance(value, (list, tuple)) else str(value)


def _fewer(plot: Plot, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if plot.template not in (*_LINES, *_CLOUDS, *_BARS):
        return rows  # counted or computed from all of them
    series: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        series.setdefault(tuple(row.get(name) for name in _ADDED), []).append(row)
    if plot.template in _BARS:
        each = max(1, A_BAR_CHART // max(1, len(series)))
        return [row for one in series.values() for row in one[:each]]
    each = max(50, min(A_SERIES, A_PLOT // max(1, len(series))))
    line = plot.template in _LINES
    x, y = plot.properties.get("x"), plot.properties.get("y")
    return [row for one in series.values() for row in _chosen(one, each, x, y, line)]


def _chosen(
    rows: list[dict[str, Any]], wanted: int, x: Any, y: Any, line: bool
) -> Iterable[dict[str, Any]]:
    if len(rows) <= wanted:
        return rows
    whole = [row for row in rows if _is_number(row.get(x)) and _is_number(row.get(y))]
    if not line or len(whole) < len(rows) // 2:
        return [rows[number] for number in every_nth(len(rows), wanted)]
    whole.sort(key=lambda row: row[x])
    points = [(float(row[x]), float(row[y])) for row in whole]
    return [whole[number] for number in largest_triangles(points, wanted)]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _how(template: str | None) -> str:
    if template in _LINES:
        return "chosen so that the lines look the same (largest triangles, LTTB)"
    return "the first of each" if template in _BARS else "evenly spread over the file"

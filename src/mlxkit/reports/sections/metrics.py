"""Metrics that changed: those that gates judge first, what got worse before what got better."""

from collections.abc import Sequence

from mlxkit.core.words import counted
from mlxkit.reports.changes import Report, Value
from mlxkit.reports.outline import Block, Cell, Code, Lines, Section, Table
from mlxkit.reports.sections.told import told_by
from mlxkit.reports.sections.words import apart, better, signed

_OPEN = 12
# The file is last: where there is little room, it is what may be out of sight.
_HEADER = ("Metric", "Base", "Now", "Change", "", "File")
_RIGHT = frozenset((1, 2, 3))
_ARROWS = {"higher": " ↑", "lower": " ↓", None: ""}
_NOISE = ("noise", "seeds")
"""Rules that know how much of a change is chance."""


def section(report: Report) -> Section:
    """Return the metrics that changed, and what is known of their noise."""
    metrics = report.metrics
    first, more = metrics.changed[:_OPEN], metrics.changed[_OPEN:]
    blocks: list[Block] = []
    if first:
        blocks.append(Table(2, _HEADER, _rows(first), right=_RIGHT))
    if noise := told_by(report, _NOISE):
        blocks.append(Lines(2, noise))
    if more:
        what = counted(len(more), "more metric") + (" that changed" if report.base else "")
        blocks.append(Table(12, _HEADER, _rows(more), what, _RIGHT))
    if metrics.troubles:
        blocks.append(Lines(4, [f"Not read: {one}" for one in metrics.troubles]))
    told = _same(report)
    if told:
        blocks.append(Lines(5, [told], bullets=False))
    return Section("Metrics", blocks)


def _same(report: Report) -> str:
    metrics = report.metrics
    if metrics.changed:
        return f"{counted(metrics.same, 'metric')} did not change." if metrics.same else ""
    if metrics.same:
        return f"No metric changed: {metrics.same:,} are the same."
    return "" if report.slices or metrics.troubles else "There are no metrics."


def _rows(values: Sequence[Value]) -> list[list[Cell]]:
    return [_row(one) for one in values]


def _row(one: Value) -> list[Cell]:
    old, new = apart(one.old, one.new)
    unit = f" {one.unit}" if one.unit else ""
    change = signed(one.diff, one.old) if one.diff is not None else ""
    name = [Code(one.name or "(the whole file)"), _ARROWS[one.direction]]
    return [name, _with(old, unit), _with(new, unit), change, _word(one), Code(one.file)]


def _with(value: str, unit: str) -> str:
    return value if value == "–" else value + unit


def _word(one: Value) -> str:
    if one.lost:
        return "🔴 gone" if one.new is None else "🔴 no number"
    return "new" if one.old is None else better(one.better)

"""Slices: the worst now and before, and those that got worse."""

from collections.abc import Sequence

from mlxkit.core.words import counted
from mlxkit.reports.changes import Report, Slice, SliceTable
from mlxkit.reports.outline import Block, Cell, Code, Section, Table
from mlxkit.reports.sections.words import apart, better, signed, value
from mlxkit.reports.slices import worse_of, worst_of

_OPEN = 8
_WORST = ("Metric", "Worst slice at base", "Worst slice now", "File")
_WORSE = ("Slice that got worse", "Metric", "Base", "Now", "Change", "", "Rows", "File")
_RIGHT = frozenset((2, 3, 4, 6))
_ARROWS = {"higher": " ↑", "lower": " ↓"}


def section(report: Report) -> Section:
    """Return a table of the worst slices, one of those that got worse, and all others folded."""
    tables = report.slices
    open_ones = [one for one in tables if one.judged] or tables
    worst = [row for table in open_ones[:_OPEN] if (row := _worst(table))]
    more = [row for table in tables if table not in open_ones[:_OPEN] and (row := _worst(table))]
    worse = [(table, one) for table in tables for one in worse_of(table)]
    # Small slices are full of chance: they do not stand in front.
    worse.sort(key=lambda pair: (pair[1].small, not pair[0].judged))
    first = [pair for pair in worse[:_OPEN] if not pair[1].small]
    rest = worse[len(first) :]
    blocks: list[Block] = []
    if worst:
        blocks.append(Table(3, _WORST, worst))
    if first:
        blocks.append(Table(3, _WORSE, _rows(first), right=_RIGHT))
    if rest:
        what = f"{counted(len(rest), 'more slice')} that got worse, small ones last"
        blocks.append(Table(13, _WORSE, _rows(rest), what, _RIGHT))
    if more:
        what = f"worst slices of {counted(len(more), 'more metric')}"
        blocks.append(Table(14, _WORST, more, what))
    return Section("Slices", blocks)


def _worst(table: SliceTable) -> list[Cell]:
    now, before = worst_of(table), worst_of(table, old=True)
    if now is None and before is None:
        return []
    name = [Code(table.metric), _ARROWS.get(table.direction, "")]
    return [name, _told(before, old=True), _told(now, old=False), Code(table.file)]


def _told(one: Slice | None, *, old: bool) -> Cell:
    if one is None:
        return "–"
    return [Code(one.title), f" {value(one.old if old else one.new)}"]


def _rows(found: Sequence[tuple[SliceTable, Slice]]) -> list[list[Cell]]:
    return [_row(table, one) for table, one in found]


def _row(table: SliceTable, one: Slice) -> list[Cell]:
    old, new = apart(one.old, one.new)
    diff = one.new - one.old if one.new is not None and one.old is not None else None
    change = signed(diff, one.old) if diff is not None else ""
    rows = "" if one.rows is None else f"{one.rows:,}"
    word = "🔴 no value" if one.new is None else better(one.better)
    word += ", not judged" if one.small else ""
    name = [Code(table.metric), _ARROWS.get(table.direction, "")]
    return [Code(one.title), name, old, new, change, word, rows, Code(table.file)]

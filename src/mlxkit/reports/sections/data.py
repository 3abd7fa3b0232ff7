"""Tracked files that changed, and what became of the rows and columns of tables."""

from collections import Counter

from mlxkit.core.words import counted
from mlxkit.reports.changes import FileChange, Report, TableChange
from mlxkit.reports.outline import Block, Cell, Code, Lines, Section, Table
from mlxkit.reports.sections.told import told_by
from mlxkit.reports.sections.words import bytes_of

_SHIFT = ("shift",)
_WORDS = ("added", "deleted", "modified", "renamed")


def section(report: Report) -> Section:
    """Return how many files changed, the tables among them, and the files folded."""
    data = report.data
    blocks: list[Block] = []
    if data.files:
        counts = Counter(one.kind for one in data.files)
        told = ", ".join(f"{counts[kind]:,} {kind}" for kind in _WORDS if counts[kind])
        blocks.append(Lines(6, [f"Tracked files: {told}."], bullets=False))
    if data.tables:
        header = ("Table", "Rows at base", "Rows now", "Columns that shifted most")
        rows = [_table(one) for one in data.tables]
        blocks.append(Table(6, header, rows, right=frozenset((1, 2))))
    if shift := told_by(report, _SHIFT):
        blocks.append(Lines(6, shift))
    if data.files:
        header = ("", "Path", "Size at base", "Size now")
        files = [_file(one) for one in data.files]
        what = counted(len(files), "tracked file") + " that changed"
        blocks.append(Table(16, header, files, what, frozenset((2, 3))))
    if data.notes:
        blocks.append(Lines(7, data.notes))
    return Section("Data", blocks)


def _table(one: TableChange) -> list[Cell]:
    old, new = ("–" if rows is None else f"{rows:,}" for rows in (one.old_rows, one.new_rows))
    if one.note:
        return [Code(one.path), old, new, one.note]
    told: list[str] = []
    for shift in one.shifts[:4]:
        told += [", " if told else "", Code(shift.column), f" {shift.told}"]
    if len(one.shifts) > 4:
        told.append(f" and {len(one.shifts) - 4} more")
    return [Code(one.path), old, new, told or "none"]


def _file(one: FileChange) -> list[Cell]:
    path: Cell = Code(one.path)
    if one.old_path is not None and one.old_path != one.path:
        path = [Code(one.old_path), " → ", Code(one.path)]
    return [one.kind, path, bytes_of(one.old_size), bytes_of(one.new_size)]

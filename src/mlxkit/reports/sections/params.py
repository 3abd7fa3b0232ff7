"""Parameters that changed."""

from collections.abc import Sequence

from mlxkit.core.words import counted
from mlxkit.reports.changes import Report, Value
from mlxkit.reports.outline import Block, Cell, Code, Lines, Section, Table
from mlxkit.reports.sections.words import apart

_OPEN = 20
_HEADER = ("Parameter", "Base", "Now", "File")


def section(report: Report) -> Section:
    """Return the parameters that changed; without a base all would be new, so none is shown."""
    params = report.params
    changed = params.changed if report.base is not None else ()
    blocks: list[Block] = []
    if changed:
        blocks.append(Table(4, _HEADER, _rows(changed[:_OPEN])))
    if more := changed[_OPEN:]:
        what = f"{counted(len(more), 'more parameter')} that changed"
        blocks.append(Table(15, _HEADER, _rows(more), what))
    if params.troubles:
        blocks.append(Lines(4, [f"Not read: {one}" for one in params.troubles]))
    return Section("Parameters", blocks)


def _rows(values: Sequence[Value]) -> list[list[Cell]]:
    found: list[list[Cell]] = []
    for one in values:
        old, new = (
            "–" if side is None else Code(told)
            for side, told in zip((one.old, one.new), apart(one.old, one.new), strict=True)
        )
        found.append([Code(one.name or "(the whole file)"), old, new, Code(one.file)])
    return found

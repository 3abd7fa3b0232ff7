"""Stages that ran, and why."""

from collections.abc import Sequence

from mlxkit.core.words import counted, duration
from mlxkit.reports.changes import Report, StageChange
from mlxkit.reports.outline import Block, Cell, Code, Section, Table

_OPEN = 10
_REASONS = 3
_KINDS = {"new": "new stage", "gone": "no longer there"}
_HEADER = ("Stage", "", "Why", "Changed outputs", "Took", "Run")


def section(report: Report) -> Section:
    """Return the stages whose records differ; many are folded."""
    first, more = report.stages[:_OPEN], report.stages[_OPEN:]
    blocks: list[Block] = []
    right = frozenset((3, 4))
    if first:
        blocks.append(Table(5, _HEADER, _rows(first), right=right))
    if more:
        blocks.append(Table(17, _HEADER, _rows(more), counted(len(more), "more stage"), right))
    return Section("Stages", blocks)


def _rows(stages: Sequence[StageChange]) -> list[list[Cell]]:
    return [_row(one) for one in stages]


def _row(one: StageChange) -> list[Cell]:
    took = duration(one.seconds) if one.seconds is not None and one.outcome == "ran" else ""
    run = Code(one.run[:12]) if one.run else ""
    return [Code(one.stage), one.outcome or one.kind, _why(one), str(len(one.outs)), took, run]


def _why(one: StageChange) -> Cell:
    if one.kind in _KINDS:
        return _KINDS[one.kind]
    if not one.reasons:
        return "its outputs came out otherwise"
    more = len(one.reasons) - _REASONS
    return "; ".join(one.reasons[:_REASONS]) + (f" and {more} more" if more > 0 else "")

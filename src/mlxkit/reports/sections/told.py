"""What gates say that belongs to another part of the report."""

from collections.abc import Container

from mlxkit.reports.changes import Report
from mlxkit.reports.outline import Cell

_MARKS = {"pass": "✅", "fail": "❌", "inconclusive": "❔", "skipped": "➖"}


def told_by(report: Report, rules: Container[str]) -> list[Cell]:
    """Return a line for each verdict of rules of these kinds."""
    return [
        f"{_MARKS[one.verdict]} {one.rule}: {one.why}"
        for gate in report.gates.outcomes
        for one in gate.verdicts
        if one.rule in rules
    ]

"""A report as the JSON document that `--json` prints; docs/report.md tells its keys."""

import math
from typing import Any

from mlxkit.gates.verdict import document as verdict_document
from mlxkit.lineage.formats.mermaid import render
from mlxkit.reports.changes import End, Gates, Report, SliceTable, Values
from mlxkit.reports.slices import worst_of


def document(report: Report) -> dict[str, Any]:
    """Return all that the report is drawn from, as plain JSON."""
    told = {
        "project": report.project,
        "base": _end(report.base),
        "head": _end(report.head),
        "headline": report.headline._asdict(),
        "gates": _gates(report.gates),
        "metrics": _values(report.metrics),
        "slices": [_slices(one) for one in report.slices],
        "params": _values(report.params),
        "data": {
            "files": [one._asdict() for one in report.data.files],
            "tables": [
                {**one._asdict(), "shifts": [shift._asdict() for shift in one.shifts]}
                for one in report.data.tables
            ],
            "notes": list(report.data.notes),
        },
        "stages": [one._asdict() for one in report.stages],
        "costs": {
            **report.costs._asdict(),
            "stages": [one._asdict() for one in report.costs.stages],
        },
        "lineage": None
        if report.lineage is None
        else {
            "path": report.lineage.path,
            "mermaid": render(report.lineage.answer),
            "left_out": report.lineage.left_out,
        },
        "notes": list(report.notes),
    }
    plain: dict[str, Any] = _plain(told)
    return plain


def _end(one: End | None) -> dict[str, Any] | None:
    return None if one is None else one._asdict()


def _gates(gates: Gates) -> dict[str, Any]:
    return {
        "passed": gates.passed,
        "failed": gates.failed,
        "verdicts": [
            verdict_document(outcome.gate, one)
            for outcome in gates.outcomes
            for one in outcome.verdicts
        ],
        "overrides": [one._asdict() for one in gates.overrides],
        "unjudged": [one._asdict() for one in gates.unjudged],
        "changes": [one._asdict() for one in gates.changes],
    }


def _values(values: Values) -> dict[str, Any]:
    return {
        "changed": [one._asdict() for one in values.changed],
        "same": values.same,
        "troubles": list(values.troubles),
    }


def _slices(table: SliceTable) -> dict[str, Any]:
    now, before = worst_of(table), worst_of(table, old=True)
    return {
        "file": table.file,
        "metric": table.metric,
        "better": table.direction,
        "worst": {
            "old": before.title if before is not None else None,
            "new": now.title if now is not None else None,
        },
        "slices": [one._asdict() for one in table.slices],
    }


def _plain(value: Any) -> Any:
    """Return what any reader of JSON takes: NaN and infinities become texts."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value

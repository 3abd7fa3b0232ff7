"""What the gates say: failures open, what passed folded; and which rules are other ones now."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlxkit.core.words import counted
from mlxkit.gates.verdict import Outcome, Verdict
from mlxkit.reports.changes import Gates, Report, RuleChange
from mlxkit.reports.outline import Block, Cell, Code, Lines, Section, Strong, Table
from mlxkit.reports.rules import ABOUT

_MARKS = {"fail": "❌ fail", "inconclusive": "❔ inconclusive", "pass": "✅ pass",
          "skipped": "➖ skipped"}  # fmt: skip
_HEADER = ("Gate", "Rule", "Verdict", "Why")
_CHANGED = ("Rule that changed", "Gate", "At base", "Now")


def section(report: Report) -> Section:
    """Return the gates' verdicts."""
    gates = report.gates
    if gates.none:
        told = Lines(3, [["There are no gates in ", Code("mlx.yaml"), "."]], bullets=False)
        return Section("Gates", [told, *_changes(gates.changes)])
    blocks: list[Block] = [Lines(1, [_summary(one, gates) for one in gates.outcomes])]
    if gates.unjudged:
        blocks.append(Lines(0, [_untold(*one) for one in gates.unjudged]))
    failed, passed = (
        [(gate.gate, one) for gate in gates.outcomes for one in gate.verdicts if one.passes is told]
        for told in (False, True)
    )
    if failed:
        blocks.append(Table(1, _HEADER, _rows(failed)))
    blocks += _changes(gates.changes)
    if passed:
        count = len(passed)
        verb = "rule passed" if count == 1 else "rules passed"
        blocks.append(Table(20, _HEADER, _rows(passed), f"{count} {verb}"))
    return Section("Gates", [one for one in blocks if not isinstance(one, Lines) or one.lines])


def _summary(outcome: Outcome, gates: Gates) -> Cell:
    word = "✅ passed" if outcome.passed else "❌ failed"
    through = next((one for one in gates.overrides if one.gate == outcome.gate), None)
    told: list[str] = [Strong(outcome.gate), f": {word}"]
    if through is not None:
        told.append(f", let through by {through.name} on {through.when[:10]}: {through.reason}")
        told.append(f" (does not count: {through.doubt})" if through.doubt else "")
    return told


def _untold(gate: str, why: str, hint: str) -> Cell:
    return [Strong(gate), f": ⚠️ could not be judged: {why}", f" ({hint})" if hint else ""]


def _rows(verdicts: Sequence[tuple[str, Verdict]]) -> list[list[Cell]]:
    order = list(_MARKS)
    ordered = sorted(verdicts, key=lambda pair: order.index(pair[1].verdict))
    return [[gate, one.rule, _MARKS[one.verdict], one.why] for gate, one in ordered]


def _changes(changes: Sequence[RuleChange]) -> list[Block]:
    """Return what is no longer asked as it was; what is asked besides is folded."""
    other = [_change(one) for one in changes if one.old is not None]
    added = [_change(one) for one in changes if one.old is None]
    blocks: list[Block] = []
    if other:
        blocks.append(Table(1, _CHANGED, other))
    if added:
        blocks.append(Table(19, _CHANGED, added, counted(len(added), "new rule")))
    return blocks


def _change(one: RuleChange) -> list[Cell]:
    name: Cell = [one.rule, " ", Code(one.about)] if one.about else one.rule
    return [name, one.gate, _settings(one.old, one.new), _settings(one.new, one.old)]


def _settings(settings: Mapping[str, Any] | None, beside: Mapping[str, Any] | None) -> Cell:
    """Say what a rule asks, as far as the other side asks something else."""
    if settings is None:
        return "no such rule"
    told = [
        f"no {key}" if value is None else f"{key} {_plain(value)}"
        for key, value in settings.items()
        if (value != beside.get(key) if beside is not None else value and key not in ABOUT)
    ]
    return ", ".join(told) or "by default"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

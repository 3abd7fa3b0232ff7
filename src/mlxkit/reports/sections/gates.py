"""What the gates say: failures open, what passed folded."""

from collections.abc import Sequence

from mlxkit.gates.verdict import Outcome, Verdict
from mlxkit.reports.changes import Gates, Report
from mlxkit.reports.outline import Block, Cell, Code, Lines, Section, Strong, Table

_MARKS = {"fail": "❌ fail", "inconclusive": "❔ inconclusive", "pass": "✅ pass",
          "skipped": "➖ skipped"}  # fmt: skip
_HEADER = ("Gate", "Rule", "Verdict", "Why")


def section(report: Report) -> Section:
    """Return the gates' verdicts."""
    gates = report.gates
    if gates.none:
        return Section("Gates", [Lines(3, [["There are no gates in ", Code("mlx.yaml"), "."]],
                                       bullets=False)])  # fmt: skip
    blocks: list[Block] = [Lines(1, [_summary(one, gates) for one in gates.outcomes])]
    if gates.unjudged:
        blocks.append(Lines(0, [_untold(*one) for one in gates.unjudged]))
    failed, passed = (
        [(gate.gate, one) for gate in gates.outcomes for one in gate.verdicts if one.passes is told]
        for told in (False, True)
    )
    if failed:
        blocks.append(Table(1, _HEADER, _rows(failed)))
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
    return told


def _untold(gate: str, why: str, hint: str) -> Cell:
    return [Strong(gate), f": ⚠️ could not be judged: {why}", f" ({hint})" if hint else ""]


def _rows(verdicts: Sequence[tuple[str, Verdict]]) -> list[list[Cell]]:
    order = list(_MARKS)
    ordered = sorted(verdicts, key=lambda pair: order.index(pair[1].verdict))
    return [[gate, one.rule, _MARKS[one.verdict], one.why] for gate, one in ordered]

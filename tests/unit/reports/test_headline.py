"""The verdict line, and the rules that are not those of the base."""

from typing import Any

import pytest
from tests.support.report import make_report

from mlxkit.gates.override import Override
from mlxkit.gates.verdict import Outcome, Verdict
from mlxkit.reports.changes import (
    Data,
    FileChange,
    Gates,
    Headline,
    Slice,
    SliceTable,
    Untold,
    Value,
    Values,
)
from mlxkit.reports.headline import headline
from mlxkit.reports.markdown import render
from mlxkit.reports.rules import rule_changes

PASSED = Gates([Outcome("test", [Verdict("threshold", "pass", "fine")])])
FAILED = Gates(
    [Outcome("test", [Verdict("base", "inconclusive", "unsure"), Verdict("x", "fail", "bad")])]
)
UNJUDGED = Gates(unjudged=[Untold("test", "data are not here", "mlx pull")])
WORSE = Values([Value("m.json", "acc", 0.5, 0.4, -0.1, False, "higher")])
GONE = [SliceTable("s", "acc", "higher", [Slice("sex=m", 0.9, None)])]
LOST = [SliceTable("s", "acc", "higher", [Slice("sex=f", 0.5, 0.25, 10, False)], judged=True)]


def first(gates: Gates, **given: Any) -> Headline:
    """The verdict line where nothing changed, but for what is given."""
    told: dict[str, Any] = {
        "metrics": Values([]), "slices": [], "params": Values([]), "data": Data(), "stages": [],
        "compared": True,
    }  # fmt: skip
    return headline(gates, **{**told, **given})


@pytest.mark.parametrize(
    ("gates", "given", "word", "change"),
    [
        (FAILED, {"metrics": WORSE}, "failed", "bad (and 1 more)"),
        (UNJUDGED, {"metrics": WORSE}, "unjudged", "data are not here"),
        (PASSED, {"metrics": WORSE, "slices": LOST}, "passed", "acc (m.json) 0.5 → 0.4, worse"),
        (PASSED, {"slices": LOST}, "passed", "acc of sex=f 0.5 → 0.25, worse"),
        (PASSED, {"slices": GONE}, "passed", "acc of sex=m has no value now: it was 0.9"),
        (PASSED, {"data": Data([FileChange("added", "x")])}, "passed",
         "1 tracked file changed, and no metric"),
        (Gates(none=True), {}, "none", "nothing that is measured or recorded changed"),
        (PASSED, {"compared": False}, "passed", "there is nothing to compare with"),
    ],
)  # fmt: skip
def test_the_verdict_line_says_what_matters_most(
    gates: Gates, given: dict[str, Any], word: str, change: str
) -> None:
    found = first(gates, **given)
    assert (found.word, found.change) == (word, change)


def test_rules_that_ask_less_than_at_the_base_are_told() -> None:
    size, approval = {"size": {"path": "m", "max": "9M"}}, {"approval": {"least": 1}}
    before, after = {"min": 0.5, "max": None}, {"min": 0.3, "max": 0.9}
    old: Any = {"test": [{"threshold": {"metric": "m.json:acc", **before}}, size, approval]}
    new: Any = {"test": [approval, {"threshold": {"metric": "m.json:acc", **after}}]}
    new["more"] = [size]
    changes = rule_changes(old, new)
    assert [(one.gate, one.rule, one.about) for one in changes] == [
        ("test", "size", "m"), ("test", "threshold", "m.json:acc"), ("more", "size", "m")
    ]  # fmt: skip
    gates = PASSED._replace(changes=changes)
    told = render(make_report(gates=gates))
    assert "| size `m` | test | max 9M | no such rule |" in told
    assert "| threshold `m.json:acc` | test | min 0.5, no max | min 0.3, max 0.9 |" in told
    assert "<summary>1 new rule</summary>" in told
    assert first(gates).verdict == ("Gate test passed, by other rules than at the base")
    added = PASSED._replace(changes=[one for one in changes if one.old is None])
    assert first(added).verdict == "Gate test passed"
    none = Gates(none=True, changes=changes)
    assert first(none).verdict == "No gates any more"
    assert "no such rule" in render(make_report(gates=none))


def test_a_failure_that_was_let_through_is_told_in_the_first_line() -> None:
    override = Override("test", "Ann", "known", "2026-01-01", "record")
    through = FAILED._replace(overrides=[override])
    assert first(through).verdict == "Gate test failed, let through by Ann"
    both = through._replace(outcomes=[*FAILED.outcomes, FAILED.outcomes[0]._replace(gate="b")])
    assert first(both).verdict == "Gates test, b failed"


def test_gates_that_are_not_there_never_pass() -> None:
    assert not Gates().passed
    assert not Gates(none=True).passed
    assert not UNJUDGED._replace(outcomes=PASSED.outcomes).passed
    assert PASSED.passed

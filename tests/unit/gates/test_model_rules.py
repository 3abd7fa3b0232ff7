"""Rules about the model and the process, as far as they are pure."""

from typing import Any

import pytest
from pydantic import ValidationError

from mlxkit.core.yaml import load
from mlxkit.gates.approvals import Approval, Thing, is_signer
from mlxkit.gates.context import Context, Occasion
from mlxkit.gates.evaluate import check
from mlxkit.gates.rules.approval import counted
from mlxkit.gates.rules.latency import judge, quantile
from mlxkit.gates.rules.size import people
from mlxkit.gates.when import why_skipped
from mlxkit.settings.model import Settings

from .context import Plain

THING = Thing("c", "o")
RULES = {"by": ["ann@example.org", "Bo"], "least": 1, "not_author": False, "signed": False}
LIMITS: dict[str, Any] = {
    "model": "m", "rows": 1, "p50_ms": None, "p95_ms": None, "p99_ms": None
}  # fmt: skip


def approval(name: str, email: str, good: bool = True) -> Approval:
    return Approval(name, email, THING, "", "w", good)


def test_quantiles_are_values_that_were_measured() -> None:
    values = [float(one) for one in range(1, 101)]
    assert [quantile(values, share) for share in (0.5, 0.95, 0.99)] == [50, 95, 99]
    assert quantile([3.0], 0.99) == 3


def test_each_limit_of_latency_has_a_verdict() -> None:
    found = judge({**LIMITS, "p50_ms": 1.0, "p99_ms": 0.5}, [0.5] * 98 + [0.6, 2.0])
    assert [(one.verdict, one.value, one.threshold) for one in found] == [
        ("pass", 0.5, 1.0), ("fail", 0.6, 0.5)
    ]  # fmt: skip
    assert found[0].figures == {"p50_ms": 0.5, "p95_ms": 0.5, "p99_ms": 0.6}


def test_sizes_for_people() -> None:
    assert people(3 << 20, 10 << 20) == "3 MiB"
    assert people((10 << 20) + 1, 10 << 20) == "10485761 bytes"
    assert (people(12, 1024), people(1, 12)) == ("12 bytes", "1 byte")


def test_who_counts_as_approving() -> None:
    found = counted(RULES, [approval("Eve", "eve@example.org")], ())
    assert (found.who, found.not_counted) == ([], ["Eve (is not one of them)"])
    found = counted(RULES, [approval("ann@example.org", "eve@example.org")], ())
    assert found.who == [], "whoever takes an address as a name"
    found = counted(RULES, [approval("Ann", "ANN@example.org"), approval("bo", "b@x")], ())
    assert found.who == ["Ann", "bo"]
    twice = [approval("Bo", "ann@example.org"), approval("Bo", "other@example.org")]
    assert counted(RULES, twice, ()).who == ["Bo"], "one person is one"
    assert counted(RULES, [approval("Ann", "ann@example.org", False)], ()).who == []


def test_the_author_may_be_left_out() -> None:
    found = counted(RULES, [approval("Ann", "ann@example.org")], ("ann", "ANN@EXAMPLE.ORG"))
    assert (found.who, found.not_counted) == ([], ["Ann (is the author)"])


@pytest.mark.parametrize(
    ("named", "right"),
    [
        ("ann@example.org", True), ("Ann <Ann@example.org>", True), ("bo@x,ann@example.org", True),
        ("joann@example.org", False), ("ann@example.org.evil", False), ("", False),
    ],
)  # fmt: skip
def test_a_signer_is_known_by_the_whole_address(named: str, right: bool) -> None:
    assert is_signer("ann@example.org", named) is right
    assert not is_signer("", named)


WHEN: dict[str, Any] = {"branches": None, "paths": None, "against": None, "events": None}


class Changed(Plain):
    def changed_since(self, other: Any) -> set[str]:
        return {"src/a.py", "data/x"}


def context(branch: str | None = "main", event: str = "local") -> Context:
    known = Changed({})
    return Context(known, lambda rev: Plain({}, rev), {}, occasion=lambda: Occasion(branch, event))


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ({"branches": ["main"]}, ""),
        ({"branches": ["release/*", "ma*"]}, ""),
        ({"branches": ["release/*"]}, "only for branch release/*: this is main"),
        ({"events": ["push"]}, "only for event push: this is local"),
        ({"events": ["local", "push"]}, ""),
        ({"paths": ["src/"], "against": "v1"}, ""),
        ({"paths": ["src/*.py"], "against": "v1"}, ""),
        ({"paths": ["docs/"], "against": "v1"}, "only where docs/ changed: it did not since v1"),
        ({"branches": ["main"], "events": ["push"]}, "only for event push: this is local"),
    ],
)
def test_when_a_rule_applies(when: dict[str, Any], why: str) -> None:
    assert why_skipped({**WHEN, **when}, context()) == why


def test_a_branch_that_nobody_knows_skips_nothing() -> None:
    assert why_skipped({**WHEN, "branches": ["release"]}, context(None)) == ""


def test_a_rule_that_does_not_apply_is_skipped_and_says_why() -> None:
    rule = {"size": {"path": "m", "max": 1, "when": {**WHEN, "branches": ["prod"]}}}
    (found,) = check(rule, context())
    assert (found.verdict, found.what) == ("skipped", "m") and found.passes
    (found,) = check(rule, context("prod"))
    assert (found.verdict, found.why) == ("fail", "there is no m")


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("latency: {model: m, inputs: i}", "give p50_ms or p95_ms or p99_ms"),
        ("latency: {model: m, inputs: i, p95_ms: 0}", "greater than 0"),
        ("size: {path: m, max: ten}", "is not a size"),
        ("security: {path: m, formats: [pickle]}", "skops"),
        ("security: {path: m, types: [os.system]}", "must not list os.system"),
        ("security: {path: m, types: [eval]}", "must not list eval"),
        ("approval: {from: [a@x, Bo], signed: true}", "nobody signs the name Bo"),
        ("approval: {from: []}", "at least 1 item"),
        ("approval: {from: [a], least: 0}", "greater than or equal to 1"),
        ("size: {path: m, max: 1, when: {}}", "says nothing"),
        ("size: {path: m, max: 1, when: {paths: [a]}}", "needs both"),
        ("size: {path: m, max: 1, when: {branch: [a]}}", "branch"),
    ],
)
def test_wrong_settings_are_refused(rule: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Settings.model_validate(load(f"gates:\n  t:\n    - {rule}\n"))

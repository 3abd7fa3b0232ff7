"""Each kind of rule on plain metrics; whatever is missing or odd fails, and says why."""

import math
from datetime import date
from typing import Any

import pytest

from .context import check, one

GOOD = {"m.json": {"acc": 0.9, "loss": 0.3, "deep": {"acc": 0.8}}}
NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("rule", "word", "why"),
    [
        ("{metric: 'm.json:acc', min: 0.5}", "pass", "acc 0.9 >= 0.5"),
        ("{metric: 'm.json:acc', min: 0.9}", "pass", "acc 0.9 >= 0.9"),
        ("{metric: 'm.json:acc', min: 0.90000000001}", "fail", "acc 0.9 < 0.90000000001"),
        ("{metric: 'm.json:acc', max: 0.9}", "pass", "acc 0.9 <= 0.9"),
        ("{metric: 'm.json:acc', max: 0.8}", "fail", "acc 0.9 > 0.8"),
        ("{metric: './m.json:deep.acc', min: 0.8}", "pass", "deep.acc 0.8 >= 0.8"),
        ("{metric: loss, max: 0.3}", "pass", "loss 0.3 <= 0.3"),
        ("{metric: acc, min: 0.3}", "pass", "acc 0.9 >= 0.3"),
        ("{metric: 'm.json:auc', min: 0}", "fail", "m.json has no 'auc': did you mean 'acc'?"),
        ("{metric: 'm.json:zzz', min: 0}", "fail", "m.json has no 'zzz'"),
        ("{metric: auc, min: 0}", "fail", "no metrics file of here has 'auc'"),
        (
            "{metric: 'n.json:acc', min: 0}",
            "fail",
            "here has no metrics file n.json: did you mean 'm.json'?",
        ),
        ("{metric: 'm.json:deep', min: 0}", "fail", "deep is no number but a group (m.json)"),
    ],
)
def test_threshold(rule: str, word: str, why: str) -> None:
    found = one(f"threshold: {rule}", GOOD)
    assert (found.verdict, found.why) == (word, why)
    assert bool(found.evidence) == ("has no m" not in why and "no metrics" not in why)


@pytest.mark.parametrize(
    ("acc", "head", "said"),
    [(0.8, "main", True), (0.8, "other", False), (0.9, "main", False)],
)
def test_a_base_that_is_what_is_judged_is_told(acc: float, head: str, said: bool) -> None:
    files = {"m.json": {"acc": acc}}
    rule = "base: {metric: 'm.json:acc', against: main}"
    (found,) = check(rule, files, {"main": {"m.json": {"acc": 0.8}}}, head=head)
    assert found.verdict == "pass"
    assert ("main is this very commit: nothing was compared" in found.why) is said


def test_both_limits_are_two_verdicts_with_figures() -> None:
    low, high = check("threshold: {metric: 'm.json:acc', min: 0.95, max: 1}", GOOD)
    assert (low.verdict, low.value, low.threshold) == ("fail", 0.9, 0.95)
    assert (high.verdict, high.what, high.baseline) == ("pass", "acc", None)


ODD: list[tuple[Any, str]] = [
    (NAN, "acc is NaN"),
    (INF, "acc is infinite"),
    (-INF, "acc is infinite"),
    ("0.9", "acc is no number but a text: '0.9'"),
    (True, "acc is no number but true"),
    (None, "acc is no number but empty"),
    ([0.9], "acc is no number but a list"),
    ({"a": 1}, "acc is no number but a group"),
    (date(2026, 1, 2), "acc is no number but 2026-01-02"),
    (10**400, "acc is too large a number"),
]


@pytest.mark.parametrize(("value", "why"), ODD)
@pytest.mark.parametrize(
    "rule",
    [
        "threshold: {metric: 'm.json:acc', min: -9}",
        "threshold: {metric: acc, max: 9}",
        "base: {metric: 'm.json:acc', against: main, lose: 99}",
        "base: {metric: 'n.json:acc', against: main, lose: 99}",
        "baseline: {metric: 'm.json:acc', over: {x: -9}}",
        "baseline: {metric: 'n.json:acc', over: {x: 'm.json:acc'}}",
        "imbalance: {accuracy: 'm.json:acc', majority: 'n.json:acc'}",
        "imbalance: {accuracy: 'n.json:acc', majority: 'm.json:acc'}",
        "seeds: {metric: '[mno].json:acc', min: -9, least: 2}",
        "slices: {file: s.json, metric: acc, worst: -9, gap: 9}",
    ],
)
def test_what_is_no_number_never_passes(rule: str, value: Any, why: str) -> None:
    if "metric: acc, max" in rule:
        files = {"m.json": {"acc": value}}
    else:
        files = {"m.json": {"acc": value}, "n.json": {"acc": 0.9}, "o.json": {"acc": 0.9}}
        files["s.json"] = {"a": {"acc": 0.9}, "b": {"acc": value, "rows": 5}}
    theirs = {**files, "n.json": {"acc": value}, "m.json": {"acc": 0.1}}
    for found in check(rule, files, {"main": theirs}):
        assert found.verdict == "fail"
        assert why.removeprefix("acc ") in found.why
        assert found.evidence


def test_a_name_in_several_files_is_not_guessed() -> None:
    files = {
        "a.json": {"acc": 0.9},
        "b.json": {"acc": 0.9},
        "c.json": {"x.acc": 1, "x": {"acc": 1}},
    }
    found = one("threshold: {metric: acc, min: 0}", files)
    assert found.verdict == "fail" and "'acc' is in 2 metrics files: say which" in found.why
    found = one("threshold: {metric: 'c.json:x.acc', min: 0}", files)
    assert (found.verdict, found.why) == ("fail", "c.json has 'x.acc' twice")
    found = one("threshold: {metric: q, min: 0}", {**files, "d.json": "is not JSON"})
    assert (found.verdict, found.why) == ("fail", "d.json cannot be read: is not JSON")


def _base(ours: float, theirs: float, rule: str, key: str = "acc") -> tuple[str, str]:
    rule = f"base: {{metric: 'm.json:{key}', against: main, {rule}}}"
    found = one(rule, {"m.json": {key: ours}}, {"main": {"m.json": {key: theirs}}})
    return found.verdict, found.why


@pytest.mark.parametrize(
    ("ours", "theirs", "lose", "key", "word"),
    [
        (0.9, 0.8, 0, "acc", "pass"), (0.8, 0.8, 0, "acc", "pass"), (0.7, 0.8, 0, "acc", "fail"),
        (0.7, 0.8, 0.1, "acc", "pass"), (0.2, 0.3, 0.1, "acc", "pass"),
        (0.69, 0.8, 0.1, "acc", "fail"), (0.2, 0.3, 0, "loss", "pass"),
        (0.3, 0.2, 0.1, "loss", "pass"), (0.31, 0.2, 0.1, "loss", "fail"),
        (5, 7, 2, "acc", "pass"), (5, 8, 2, "acc", "fail"),
    ],
)  # fmt: skip
def test_base(ours: float, theirs: float, lose: float, key: str, word: str) -> None:
    assert _base(ours, theirs, f"lose: {lose}", key)[0] == word


def test_base_says_what_it_compares() -> None:
    assert _base(0.7, 0.8, "lose: 0.05") == (
        "fail", "acc 0.7, main has 0.8: -0.1, may lose 0.05"
    )  # fmt: skip
    assert _base(0.8, 0.8, "lose: 0")[1] == "acc 0.8, main has 0.8: unchanged, may lose 0"
    word, why = _base(0.7, 0.8, "lose: 1", "odd")
    assert word == "fail" and "which direction of odd is good is not known" in why
    assert _base(0.7, 0.8, "better: lower", "odd")[0] == "pass"


def test_base_that_is_not_there() -> None:
    rule = "base: {metric: 'm.json:acc', against: main, lose: 9}"
    for others, why in (
        ({}, "there is no revision 'main'"),
        ({"main": {}}, "main has no metrics file m.json"),
        ({"main": {"m.json": {"loss": 1}}}, "main:m.json has no 'acc'"),
        ({"main": {"m.json": "is not JSON"}}, "main:m.json cannot be read: is not JSON"),
    ):
        found = one(rule, GOOD, others)
        assert (found.verdict, found.why) == ("fail", why)


def test_another_base_may_be_given() -> None:
    others: dict[str, Any] = {"old": {"m.json": {"acc": 0.95}}, "main": {"m.json": {"acc": 0.1}}}
    rule = "base: {metric: 'm.json:acc', against: main}"
    assert one(rule, GOOD, others).verdict == "pass"
    found = one(rule, GOOD, others, base="old")
    assert (found.verdict, found.baseline) == ("fail", 0.95)
    assert set(found.evidence) == {"m.json", "old:m.json"}


@pytest.mark.parametrize(
    ("over", "by", "word", "why"),
    [
        ("0.8", 0.1, "pass", "acc 0.9, x has 0.8: at least 0.1 more is wanted"),
        ("0.8", 0, "pass", "acc 0.9, x has 0.8: it must be better"),
        ("0.9", 0, "fail", "acc 0.9, x has 0.9: it must be better"),
        ("0.81", 0.1, "fail", "acc 0.9, x has 0.81: at least 0.1 more is wanted"),
        ("'m.json:deep.acc'", 0.1, "pass", "acc 0.9, x has 0.8: at least 0.1 more is wanted"),
        ("'m.json:none'", 0, "fail", "baseline x: m.json has no 'none'"),
        ("{metric: 'm.json:acc', at: v1}", 0, "pass", "acc 0.9, x has 0.5: it must be better"),
        ("{metric: 'm.json:acc', at: v2}", 0, "fail", "baseline x: there is no revision 'v2'"),
    ],
)
def test_baseline(over: str, by: float, word: str, why: str) -> None:
    rule = f"baseline: {{metric: 'm.json:acc', over: {{x: {over}}}, by: {by}}}"
    found = one(rule, GOOD, {"v1": {"m.json": {"acc": 0.5}}})
    assert (found.verdict, found.why, found.value) == (word, why, 0.9)


def test_each_baseline_is_a_verdict_in_the_good_direction() -> None:
    rule = "baseline: {metric: 'm.json:loss', over: {a: 0.4, b: 0.35}, by: 0.1}"
    first, second = check(rule, GOOD)
    assert (first.verdict, first.what, first.baseline, first.threshold) == ("pass", "a", 0.4, 0.3)
    assert (second.verdict, second.threshold) == ("fail", 0.25)


SLICES = {
    "s.json": {
        "sex": {"f": {"rows": 100, "acc": 0.7}, "m": {"rows": 300, "acc": 0.9}},
        "age": {"old": {"rows": 9, "acc": 0.1}, "mid": {"rows": 50, "acc": 0.75}},
    }
}


@pytest.mark.parametrize(
    ("rule", "word", "why"),
    [
        ("worst: 0.1", "pass", "acc of age=old is 0.1, minimum 0.1 (9 rows)"),
        ("worst: 0.2", "fail", "acc of age=old is 0.1, minimum 0.2 (9 rows)"),
        ("worst: 0.7, least_rows: 10", "pass",
         "acc of sex=f is 0.7, minimum 0.7 (100 rows); 1 with less than 10 rows not judged"),
        ("worst: 0.8, least_rows: 50, leave_out: [sex=f]", "fail",
         "acc of age=mid is 0.75, minimum 0.8 (50 rows); 1 with less than 50 rows not judged; "
         "left out: sex=f"),
        ("gap: 0.2, groups: [sex]", "pass", "acc of sex=f 0.7 and sex=m 0.9: gap 0.2, maximum 0.2"),
        ("gap: 0.6", "fail", "acc of age=old 0.1 and age=mid 0.75: gap 0.65, maximum 0.6"),
        ("gap: 1, groups: [height]", "fail",
         "there is no group of slices 'height'; there are: sex, age"),
        ("gap: 1, leave_out: [sex=x]", "fail", "there is no slice 'sex=x' to leave out"),
        ("worst: 0, least_rows: 999", "fail", "no slice has 999 rows, so none was judged"),
        ("worst: 0, leave_out: [age=old], groups: []", "fail", "no slice is left to judge"),
        ("gap: 1, least_rows: 200", "fail",
         "no group has two slices that are large enough: there is no gap to judge"),
        # A group that is named must be judged, whatever another one has.
        ("gap: 1, groups: [sex, age], least_rows: 10", "fail",
         "group 'age' has one slice to judge: there is no gap in it"),
        ("worst: 0, groups: [sex, age], least_rows: 60", "fail",
         "no slice of group 'age' has 60 rows, so none was judged"),
        ("worst: 0.75, better: lower", "fail", "acc of sex=m is 0.9, maximum 0.75 (300 rows)"),
        ("worst: 0, rows: n, least_rows: 1", "fail", "sex=f has no 'n'"),
    ],
)  # fmt: skip
def test_slices(rule: str, word: str, why: str) -> None:
    found = one(f"slices: {{file: s.json, metric: acc, {rule}}}", SLICES)
    assert (found.verdict, found.why) == (word, f"s.json: {why}")
    assert list(found.evidence) == ["s.json"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "s.json: there are no slices in it"),
        ({"acc": 1}, "s.json: there are no slices in it"),
        ([1], "s.json: there are no slices in it"),
        ({"a": {"rows": 5}}, "s.json: a has no 'acc'"),
        ({"a": {"rows": NAN, "acc": 1}}, "s.json: rows of a is NaN"),
        ({"g": {"a": {"acc": 1}, "b": {"rows": 1}}}, "s.json: g=b has no 'acc'"),
        ({"g": {"a": {"acc": 1}, "b": {}}}, "s.json: g=b has no 'acc'"),
        ({"g": {"a": {"acc": 1}}, "h": {}}, "s.json: h has no 'acc'"),
        ({"a": {"rows": -1, "acc": 1}}, "s.json: rows of a is -1"),
        ({"x": {"g": {"a": {"acc": "1"}}}}, "s.json: acc of x.g=a is no number but a text: '1'"),
        ("is not JSON", "s.json cannot be read: is not JSON"),
    ],
)
def test_slices_that_are_not_there(values: Any, why: str) -> None:
    found = one("slices: {file: s.json, metric: acc, worst: 0}", {"s.json": values})
    assert (found.verdict, found.why) == ("fail", why)


def test_slices_inside_of_a_slice_are_judged() -> None:
    inner = {"sex": {"f": {"acc": 0.1}, "m": {"acc": 0.9}}, "cells": {"tp": 1}}
    found = one(
        "slices: {file: s.json, metric: acc, worst: 0.5}",
        {"s.json": {"all": {"acc": 0.9, **inner}}},
    )
    assert (found.verdict, found.value) == ("fail", 0.1)
    assert set(found.figures) == {"all", "all.sex=f", "all.sex=m"}


def test_both_limits_of_slices_with_all_figures() -> None:
    both = check("slices: {file: s.json, metric: acc, worst: 0, gap: 1}", SLICES)
    assert [one.what for one in both] == ["worst acc", "gap of acc"]
    assert both[0].figures == {"sex=f": 0.7, "sex=m": 0.9, "age=old": 0.1, "age=mid": 0.75}


@pytest.mark.parametrize(
    ("accuracy", "by", "word"),
    [(0.95, 0, "pass"), (0.94, 0, "fail"), (0.95, 0.01, "pass"), (0.949, 0.01, "fail")],
)
def test_imbalance(accuracy: float, by: float, word: str) -> None:
    rule = f"imbalance: {{accuracy: acc, majority: maj, by: {by}}}"
    files = {"m.json": {"acc": accuracy, "maj": 0.94, "f1": 0.5}}
    beats, alone = check(rule, files)
    assert (beats.verdict, beats.value, beats.baseline) == (word, accuracy, 0.94)
    assert (alone.verdict, alone.what) == ("fail", "other metrics")
    *_, alone = check(f"threshold: {{metric: acc, min: 0}}\n{rule}", files)
    assert alone.verdict == "fail", "the same metric again is no other"
    files["n.json"] = {"test": {"acc": 1}}
    *_, alone = check(f"threshold: {{metric: 'n.json:test.acc', min: 0}}\n{rule}", files)
    assert alone.verdict == "fail", "nor is accuracy in another file"
    *_, alone = check(f"threshold: {{metric: 'm.json:f1', min: 0}}\n{rule}", files)
    assert (alone.verdict, alone.why) == ("pass", "accuracy is not the only metric: f1")


def _seeds(*values: float) -> dict[str, Any]:
    return {f"s/{number}.json": {"acc": value} for number, value in enumerate(values)}


@pytest.mark.parametrize(
    ("rule", "word", "why"),
    [
        ("min: 0.79", "pass", "mean acc 0.8, 95% interval 0.7938 to 0.8062, minimum 0.79"),
        ("min: 0.8", "inconclusive",
         "mean acc 0.8, 95% interval 0.7938 to 0.8062, minimum 0.8: "
         "inconclusive counts as failed here"),
        ("min: 0.81", "fail", "mean acc 0.8, 95% interval 0.7938 to 0.8062, minimum 0.81"),
        ("max: 0.81, confidence: 0.5", "pass",
         "mean acc 0.8, 50% interval 0.7988 to 0.8012, maximum 0.81"),
        ("spread: 0.0026", "pass", "standard deviation of acc over 3 seeds 0.0025, maximum 0.0026"),
        ("spread: 0.0025", "pass", "standard deviation of acc over 3 seeds 0.0025, maximum 0.0025"),
        ("spread: 0.002", "fail", "standard deviation of acc over 3 seeds 0.0025, maximum 0.002"),
        ("min: 0, least: 4", "fail",
         "3 metrics files of here fit s/*.json: at least 4 seeds must be there"),
    ],
)  # fmt: skip
def test_seeds(rule: str, word: str, why: str) -> None:
    found = one(f"seeds: {{metric: 's/*.json:acc', {rule}}}", _seeds(0.7975, 0.8, 0.8025))
    assert (found.verdict, found.why) == (word, why)


@pytest.mark.parametrize(
    ("ours", "theirs", "lose", "word"),
    [
        ((0.81, 0.83, 0.85), (0.80, 0.82, 0.84), 0, "pass"),  # paired: each seed is better
        ((0.80, 0.82, 0.84), (0.81, 0.83, 0.85), 0, "fail"),
        ((0.80, 0.82, 0.84), (0.81, 0.83, 0.85), 0.01, "pass"),  # by just what it may lose
        ((0.80, 0.84, 0.82), (0.81, 0.83, 0.83), 0, "inconclusive"),
        ((0.80, 0.84, 0.82), (0.80, 0.84, 0.82), 0, "pass"),  # the same to the digit
        ((0.81, 0.83, 0.85), (0.80, 0.82, 0.84, 0.82), 0, "inconclusive"),  # others: not paired
        ((0.80, 0.80, 0.80), (0.81, 0.81, 0.81, 0.81), 0.01, "pass"),
        ((0.91, 0.93, 0.95), (0.80, 0.82, 0.84, 0.82), 0, "pass"),
    ],
)
def test_seeds_against_a_base(
    ours: tuple[float, ...], theirs: tuple[float, ...], lose: float, word: str
) -> None:
    rule = f"seeds: {{metric: 's/*.json:acc', against: main, lose: {lose}}}"
    found = one(rule, _seeds(*ours), {"main": _seeds(*theirs)})
    assert found.verdict == word, found.why
    assert ("paired" in found.why) == (len(ours) == len(theirs))
    assert found.passes == (word == "pass")
    allowed = one(rule.replace("lose", "inconclusive: pass, lose"), _seeds(*ours),
                  {"main": _seeds(*theirs)})  # fmt: skip
    assert (allowed.verdict, allowed.passes) == (word, word != "fail")


def test_seeds_that_the_base_does_not_have() -> None:
    rule = "seeds: {metric: 's/*.json:acc', against: main}"
    found = one(rule, _seeds(0.8, 0.8, 0.8), {"main": _seeds(0.8)})
    assert found.verdict == "fail" and "1 metrics files of main fit s/*.json" in found.why

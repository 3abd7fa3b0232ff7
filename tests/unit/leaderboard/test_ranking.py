"""Who is ranked where, who is not ranked, and what luck explains."""

import math
import random

import pytest

from mlxkit.leaderboard.board import Candidate, Entry, Measured, Question, Score
from mlxkit.leaderboard.ranking import Ranking, rank, selection_bias

DIGEST = "a" * 32
ASKED = Question("acc", "higher", "test.csv", DIGEST, {"m": "m.json"}, {})


def entry(
    name: str,
    value: float | None,
    *,
    kind: str = "experiment",
    digest: str | None = DIGEST,
    key: str = "",
    error: float | None = None,
    reason: str = "",
) -> Entry:
    candidate = Candidate(name, kind, name * 8)
    model = name if kind == "baseline" else "m"
    return Entry(candidate, model, Measured(digest, key or name), Score(value, error, reason))


def ranked(found: Ranking) -> list[tuple[int, str]]:
    return [(one.rank, one.entry.candidate.name) for one in found.rows]


def test_the_best_comes_first_whatever_the_direction() -> None:
    given = [entry("a", 0.5), entry("b", 0.9), entry("c", -1.0)]
    assert ranked(rank(ASKED, given, 1)) == [(1, "b"), (2, "a"), (3, "c")]
    lower = ASKED._replace(better="lower")
    assert ranked(rank(lower, given, 1)) == [(1, "c"), (2, "a"), (3, "b")]


def test_equal_values_share_a_rank_and_are_not_told_apart() -> None:
    found = rank(ASKED, [entry("b", 0.9), entry("a", 0.9), entry("c", 0.1)], 3)
    assert ranked(found) == [(1, "a"), (1, "b"), (3, "c")]
    assert [one.told_apart for one in found.rows] == [True, False, True]


def test_several_names_of_one_measurement_are_one_row() -> None:
    given = [
        entry("main", 0.5, kind="branch", key="k"),
        entry("v1", 0.5, kind="tag", key="k"),
        entry("m#prod#1", 0.5, kind="deployed", key="k"),
        entry("main", 0.5, kind="branch", key="k"),
        entry("other", 0.5, key="another"),
    ]
    found = rank(ASKED, given, 2)
    assert ranked(found) == [(1, "m#prod#1"), (1, "other")]
    assert [one.name for one in found.rows[0].also] == ["v1", "main"]


def test_what_is_not_comparable_is_never_ranked() -> None:
    given = [
        entry("elsewhere", 0.99, digest="b" * 32),
        entry("unknown", 0.99, digest=None)._replace(measured=Measured(reason="no stage")),
        entry("nan", None, reason="'acc' is nan"),
        entry("good", 0.2),
    ]
    found = rank(ASKED, given, 3)
    assert ranked(found) == [(1, "good")]
    assert [(one.candidate.name, one.reason) for one in found.left] == [
        ("elsewhere", "measured on another version of test.csv"),
        ("unknown", "no stage"),
        ("nan", "'acc' is nan"),
    ]
    assert found.left[0].digest == "b" * 32


def test_a_model_that_a_ranked_candidate_does_not_have_is_no_news() -> None:
    one = Candidate("main", "branch", "c")
    given = [
        Entry(one, "m", Measured(DIGEST, "k"), Score(0.5)),
        Entry(one, "new", Measured(reason="no stage wrote it"), Score(reason="it is not there")),
    ]
    assert rank(ASKED, given, 1).left == ()


def test_baselines_are_ranked_and_who_does_not_beat_them_is_named() -> None:
    given = [
        entry("prior", 0.5, kind="baseline"),
        entry("equal", 0.5),
        entry("worse", 0.4),
        entry("better", 0.6),
    ]
    rows = {one.entry.candidate.name: one for one in rank(ASKED, given, 3).rows}
    assert rows["better"].not_better_than == ()
    assert rows["equal"].not_better_than == rows["worse"].not_better_than == ("prior",)
    assert rows["prior"].not_better_than == ()


def test_a_lead_that_luck_explains_is_marked() -> None:
    """With a standard error of 0.01 the best of 50 gains up to 0.028."""
    given = [
        entry("best", 0.90, error=0.01),
        entry("base", 0.899, kind="baseline"),
        entry("near", 0.88),
        entry("far", 0.87),
    ]
    found = rank(ASKED, given, 50)
    assert found.bias == pytest.approx(0.01 * math.sqrt(2 * math.log(50)))
    told = {one.entry.candidate.name: one.told_apart for one in found.rows}
    assert told == {"best": True, "base": True, "near": False, "far": True}


def test_without_a_standard_error_nothing_is_said_of_luck() -> None:
    found = rank(ASKED, [entry("a", 0.9), entry("b", 0.899)], 50)
    assert found.bias is None
    assert all(one.told_apart for one in found.rows)


def test_nothing_to_rank() -> None:
    assert rank(ASKED, [], 0) == Ranking((), (), None)


@pytest.mark.parametrize("count", [2, 10, 50, 200])
def test_the_bias_bounds_what_the_best_of_many_gains(count: int) -> None:
    rng = random.Random(count)
    gains = [max(rng.gauss(0, 0.3) for _ in range(count)) for _ in range(400)]
    bound = selection_bias(0.3, count)
    assert 0.4 * bound < sum(gains) / len(gains) < bound


def test_one_model_gains_nothing_by_selection() -> None:
    assert selection_bias(0.3, 1) == selection_bias(0.3, 0) == 0

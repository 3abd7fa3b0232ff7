"""A number out of a metrics file, or why there is none; how exact it is."""

import math
from typing import Any

import pytest

from mlxkit.leaderboard.score import score


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.nan, "'acc' is nan"),
        (math.inf, "'acc' is inf"),
        (10**400, "'acc' is inf"),
        ("good", "'acc' is the text 'good', not a number"),
        ("\x1b[31m", "'acc' is the text '\\x1b[31m', not a number"),
        (True, "'acc' is True, not a number"),
    ],
)
def test_what_is_no_number(value: Any, reason: str) -> None:
    found = score({"acc": value}, "acc")
    assert (found.value, found.reason, found.absent) == (None, reason, False)


def test_a_metric_that_is_missing() -> None:
    assert score({}, "acc") == (None, None, "there is no 'acc'", True)
    assert score({"valid.acc": 1.0}, "test.acc").reason == (
        "there is no 'test.acc' (but 'valid.acc')"
    )


def test_a_nested_metric() -> None:
    assert score({"test.acc": 1}, "test.acc").value == 1.0


@pytest.mark.parametrize(
    ("beside", "error"),
    [
        ({"f1_se": 0.02}, 0.02),
        ({"f1_stderr": 0.02, "f1_std": 9, "seeds": 4}, 0.02),
        ({"f1_low": 0.4, "f1_high": 0.6}, 0.2 / (2 * 1.959964)),
        ({"f1_lower": -0.4, "f1_upper": 0.6}, 1 / (2 * 1.959964)),
        ({"f1_low": 0.6, "f1_high": 0.4}, None),
        ({"f1_std": 0.04, "seeds": 4}, 0.02),
        ({"f1_std": 0.04, "f1_seeds": 9}, None),
        ({"f1_std": 0.04}, None),
        ({"f1_se": -1}, None),
        ({"f1_se": math.nan}, None),
        ({"f1_se": "small"}, None),
        ({"rows": 100}, None),
    ],
)
def test_the_standard_error_that_the_file_tells(
    beside: dict[str, Any], error: float | None
) -> None:
    assert score({"f1": 0.5, **beside}, "f1").error == pytest.approx(error)


def test_the_binomial_of_a_share_of_right_answers() -> None:
    assert score({"accuracy": 0.9, "rows": 100}, "accuracy").error == pytest.approx(0.03)
    assert score({"test.accuracy": 0.9, "test.n": 100}, "test.accuracy").error is not None
    assert score({"test.accuracy": 0.9, "n": 100}, "test.accuracy").error is None
    assert score({"accuracy": 90, "rows": 100}, "accuracy").error is None
    assert score({"accuracy": 0.9, "rows": 0}, "accuracy").error is None

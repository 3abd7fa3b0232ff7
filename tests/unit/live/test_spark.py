"""Numbers as characters."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxkit.live.history import LIMIT, History
from mlxkit.live.spark import ASCII, BLOCKS, GAP, mean, shortened, spark

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([3], "▄"),
        ([3, 3, 3], "▄▄▄"),
        ([0, 1, 2, 3, 4, 5, 6, 7], BLOCKS),
        ([7, 0], "█▁"),
        ([0, NAN, 1], "▁ █"),
        ([0, INF, 1, -INF], "▁██▁"),
        ([NAN, NAN], "  "),
        ([INF, INF], "██"),
        ([-1.7e308, 1.7e308], "▁█"),
        ([0, 5e-324], "▁█"),
        ([10**300, 10**301], "▁█"),
    ],
    ids=str,
)
def test_known_lines(values: list[float], drawn: str) -> None:
    assert spark(values, 20) == drawn


def test_without_unicode() -> None:
    line = spark(range(8), 8, levels=ASCII)
    assert line == ASCII
    assert line.isascii()


def test_more_values_than_room_keep_the_newest() -> None:
    assert shortened([0, 2, 4, 6, 9], 3) == [1, 5, 9]
    assert shortened([1, 2, 3], 1) == [3]
    assert shortened([1, 2, 3], 0) == []
    assert spark([*([1.0] * 1000), 9.0], 10) == "▁▁▁▁▁▁▁▁▁█"


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60),
    st.integers(min_value=0, max_value=20),
)
def test_any_numbers_fit(values: list[float], width: int) -> None:
    line = spark(values, width)
    assert len(line) == min(width, len(values))
    assert set(line) <= {*BLOCKS, GAP}


def test_means() -> None:
    assert mean([1, NAN, 3]) == 2
    assert math.isnan(mean([NAN]))
    assert math.isnan(mean([INF, -INF]))
    assert mean([INF, 1]) == INF
    assert mean([1.7e308, 1.7e308]) == 1.7e308


def test_a_history_of_any_length_is_small_and_whole() -> None:
    history = History(range(100_000))
    points = history.points()
    assert len(points) <= LIMIT
    assert points[0] < 300 and points[-1] > 99_500
    assert list(points) == sorted(points)

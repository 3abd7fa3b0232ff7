"""Fewer points that look the same."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from mlxkit.plots.thin import every_nth, largest_triangles

POINTS = some.lists(some.tuples(some.floats(-1e6, 1e6), some.floats(-1e6, 1e6)), max_size=60).map(
    sorted
)


@given(POINTS, some.integers(3, 80))
def test_as_many_as_wanted_in_their_order_with_both_ends(
    points: list[tuple[float, float]], wanted: int
) -> None:
    kept = largest_triangles(points, wanted)
    assert kept == sorted(set(kept))
    assert len(kept) == min(wanted, len(points))
    if points:
        assert kept[0] == 0 and kept[-1] == len(points) - 1


def test_a_spike_stays() -> None:
    points = [(float(x), math.sin(x / 500)) for x in range(10_000)]
    points[4321] = (4321.0, 50.0)
    assert 4321 in largest_triangles(points, 100)


def test_a_straight_line_needs_no_more_than_asked() -> None:
    assert len(largest_triangles([(float(x), 0.0) for x in range(1000)], 10)) == 10


@given(some.integers(0, 500), some.integers(1, 500))
def test_every_nth_is_spread(count: int, wanted: int) -> None:
    kept = every_nth(count, wanted)
    assert len(kept) == min(count, wanted) == len(set(kept))
    gaps = [after - before for before, after in pairwise(kept)]
    assert not gaps or max(gaps) - min(gaps) <= 1

"""No node lies on another, and arrows go to the right."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from mlxkit.lineage.formats.layout import Box, find_levels, lay_out

BOX = Box()
TINY = 1e-6
EDGES = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=40)
SIDES = st.lists(st.sampled_from([-1, 1]), min_size=14, max_size=14)


@given(edges=EDGES, sides=SIDES)
@settings(max_examples=80, deadline=None)
def test_nothing_overlaps(edges: list[tuple[int, int]], sides: list[int]) -> None:
    unique = list(dict.fromkeys(edge for edge in edges if edge[0] != edge[1]))
    levels = find_levels([0, *sides], unique)
    assert levels[0] == 0
    for level, side in zip(levels[1:], sides, strict=True):
        assert level * side > 0
    layout = lay_out(levels, unique, BOX)
    assert layout.routes.keys() == set(unique)
    assert len(layout.corners) == 15
    columns: dict[float, list[float]] = {}
    for x, y in layout.corners:
        assert 0 <= x <= layout.width - BOX.width + TINY
        assert 0 <= y <= layout.height - BOX.height + TINY
        columns.setdefault(x, []).append(y)
    for places in columns.values():
        for upper, lower in pairwise(sorted(places)):
            assert lower - upper >= BOX.height + BOX.down - TINY
    for (source, target), points in layout.routes.items():
        assert points[0][0] == layout.corners[source][0] + BOX.width
        assert points[-1][0] == layout.corners[target][0]
        if levels[source] < levels[target]:
            assert [x for x, _ in points] == sorted(x for x, _ in points)


def test_levels_are_as_near_as_they_can_be() -> None:
    #  1 -> 2 -> 0 -> 3 -> 4, 1 -> 0, 5 -> 2, 0 -> 4
    edges = [(1, 2), (2, 0), (0, 3), (3, 4), (1, 0), (5, 2), (0, 4)]
    assert find_levels([0, -1, -1, 1, 1, -1], edges) == [0, -2, -1, 1, 2, -2]


def test_a_circle() -> None:
    """An output that is an input of its own input's next version: the arrow back counts not."""
    assert find_levels([0, -1], [(1, 0), (0, 1)]) == [0, -1]


def test_straight_where_it_can_be() -> None:
    layout = lay_out([-2, -1, 0, 1], [(0, 1), (1, 2), (2, 3)], BOX)
    assert len({y for _, y in layout.corners}) == 1
    assert layout.height == BOX.height


def test_long_arrows_pass_between() -> None:
    """An arrow over a level has a bend there that lies on no node."""
    layout = lay_out([0, 1, 2], [(0, 1), (1, 2), (0, 2)], BOX)
    x, y = layout.corners[1]
    bends = [point for point in layout.routes[0, 2] if x <= point[0] <= x + BOX.width]
    assert bends
    assert all(not y < at < y + BOX.height for _, at in bends)

"""Where the nodes of a graph go: in layers from left to right, with few crossings. Pure."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

Point = tuple[float, float]
Ends = tuple[int, int]

_SWEEPS = 8
_MOST_BENDS = 20_000
"""So many points along arrows are placed with care; beyond, long arrows go straight."""


class Box(NamedTuple):
    """The size of a node, and the room between two of them."""

    width: float = 220
    height: float = 48
    across: float = 90
    down: float = 18


class Layout(NamedTuple):
    """The upper left corner of each node, the points that each arrow passes, and the size."""

    corners: list[Point]
    routes: dict[Ends, list[Point]]
    width: float
    height: float


def lay_out(levels: Sequence[int], edges: Sequence[Ends], box: Box) -> Layout:
    """Place nodes, of which each level is known, so that arrows are short and cross seldom."""
    order, chains, where = _with_bends(levels, edges)
    near = _neighbours(len(where), chains)
    for number in range(_SWEEPS):
        _sort(order, near, from_left=number % 2 == 0)
    heights = [box.height if point < len(levels) else 0.0 for point in range(len(where))]
    y = _heights(order, near, heights, box.down)
    left = min(levels, default=0)
    step = box.width + box.across
    corners = [((levels[node] - left) * step, y[node]) for node in range(len(levels))]
    routes = {}
    for (source, target), chain in chains.items():
        points = [(corners[source][0] + box.width, y[source] + box.height / 2)]
        points += [
            place for bend in chain[1:-1]
            for place in (((where[bend] - left) * step, y[bend]),
                          ((where[bend] - left) * step + box.width, y[bend]))
        ]  # fmt: skip
        points.append((corners[target][0], y[target] + box.height / 2))
        routes[source, target] = points
    width = max((x for x, _ in corners), default=0.0) + box.width
    height = max((one for one in y), default=0.0) + box.height
    return Layout(corners, routes, width, height)


def find_levels(sides: Sequence[int], edges: Sequence[Ends]) -> list[int]:
    """Return a level for each node: 0 for the middle, whose side is 0, less on its left.

    Sides are -1, 0 and 1. A node is as near to the middle as the nodes between them allow;
    arrows that go round in a circle count for nothing.
    """
    levels = [0] * len(sides)
    straight = _without_circles(len(sides), edges)
    after: list[list[int]] = [[] for _ in sides]
    before: list[list[int]] = [[] for _ in sides]
    for source, target in straight:
        after[source].append(target)
        before[target].append(source)
    order = _topological(after, before)
    for node in order:
        if sides[node] > 0:
            levels[node] = 1 + max(
                (levels[one] for one in before[node] if sides[one] >= 0), default=0
            )
    for node in reversed(order):
        if sides[node] < 0:
            levels[node] = (
                min((levels[one] for one in after[node] if sides[one] <= 0), default=0) - 1
            )
    return levels


def _without_circles(count: int, edges: Sequence[Ends]) -> list[Ends]:
    """Leave out the arrows that close a circle."""
    after: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        after[source].append(target)
    state = [0] * count  # 1: on the way, 2: done
    closing: set[Ends] = set()
    for start in range(count):
        if state[start]:
            continue
        state[start] = 1
        way = [(start, iter(after[start]))]
        while way:
            node, rest = way[-1]
            following = next(rest, None)
            if following is None:
                state[node] = 2
                way.pop()
            elif state[following] == 1:
                closing.add((node, following))
            elif state[following] == 0:
                state[following] = 1
                way.append((following, iter(after[following])))
    return [edge for edge in edges if edge not in closing]


def _topological(after: Sequence[Sequence[int]], before: Sequence[Sequence[int]]) -> list[int]:
    waiting = [len(one) for one in before]
    order = [node for node, number in enumerate(waiting) if number == 0]
    for node in order:  # grows meanwhile
        for following in after[node]:
            waiting[following] -= 1
            if waiting[following] == 0:
                order.append(following)
    return order


def _with_bends(
    levels: Sequence[int], edges: Sequence[Ends]
) -> tuple[list[list[int]], dict[Ends, list[int]], list[int]]:
    """Return the points of each level, those that each arrow passes, and each point's level.

    Points from `len(levels)` on are bends: an arrow has one in each level between its ends.
    """
    where = list(levels)
    chains: dict[Ends, list[int]] = {}
    for source, target in edges:
        between = range(levels[source] + 1, levels[target])
        if len(where) + len(between) > len(levels) + _MOST_BENDS:
            between = range(0)
        chains[source, target] = [
            source, *range(len(where), len(where) + len(between)), target
        ]  # fmt: skip
        where.extend(between)
    left, right = min(where, default=0), max(where, default=-1)
    order: list[list[int]] = [[] for _ in range(left, right + 1)]
    for point, level in enumerate(where):
        order[level - left].append(point)
    return order, chains, where


def _neighbours(
    count: int, chains: dict[Ends, list[int]]
) -> tuple[list[list[int]], list[list[int]]]:
    """Return the points on the left and on the right that each point is joined with."""
    left: list[list[int]] = [[] for _ in range(count)]
    right: list[list[int]] = [[] for _ in range(count)]
    for chain in chains.values():
        for one, other in pairwise(chain):
            right[one].append(other)
            left[other].append(one)
    return left, right


def _sort(
    order: list[list[int]], near: tuple[list[list[int]], list[list[int]]], *, from_left: bool
) -> None:
    """Sort each level by the middle of what its points are joined with in the level before."""
    joined = near[0] if from_left else near[1]
    place = {point: number for level in order for number, point in enumerate(level)}
    for level in order if from_left else reversed(order):
        wanted = {
            point: _mean([place[one] for one in joined[point]], place[point]) for point in level
        }
        level.sort(key=wanted.__getitem__)
        place.update({point: number for number, point in enumerate(level)})


def _heights(
    order: Sequence[Sequence[int]],
    near: tuple[list[list[int]], list[list[int]]],
    heights: Sequence[float],
    gap: float,
) -> list[float]:
    """Return the upper end of each point: near to what it is joined with, none on another."""
    y = [0.0] * len(heights)
    for level in order:
        at = 0.0
        for point in level:
            y[point] = at
            at += heights[point] + gap
    for number in range(_SWEEPS):
        joined = near[0] if number % 2 == 0 else near[1]
        for level in order if number % 2 == 0 else reversed(order):
            wanted = []
            for point in level:
                middles = [y[one] + heights[one] / 2 for one in joined[point]]
                wanted.append(_mean(middles, y[point] + heights[point] / 2) - heights[point] / 2)
            for point, at in zip(
                level, _apart(wanted, [heights[one] + gap for one in level]), strict=True
            ):
                y[point] = at
    top = min(y, default=0.0)
    return [one - top for one in y]


def _apart(wanted: Sequence[float], room: Sequence[float]) -> list[float]:
    """Return places in this order, as near to the wanted ones as the room each needs allows.

    The least squares: neighbours that want to overlap are put side by side around their mean.
    """
    blocks: list[tuple[float, int]] = []  # the mean of what a block wants, how many are in it
    offset = 0.0
    offsets = []
    for want, size in zip(wanted, room, strict=True):
        offsets.append(offset)
        mean, count = want - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, more = blocks.pop()
            mean, count = (mean * count + other * more) / (count + more), count + more
        blocks.append((mean, count))
        offset += size
    means = [mean for mean, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _mean(values: Iterable[float], otherwise: float) -> float:
    found = list(values)
    return sum(found) / len(found) if found else otherwise

"""Fewer points that look the same."""

from collections.abc import Sequence

Point = tuple[float, float]


def largest_triangles(points: Sequence[Point], wanted: int) -> list[int]:
    """Return which of the points, sorted by x, to keep so that their line looks the same.

    Largest-Triangle-Three-Buckets (Steinarsson, 2013): the first, the last, and from each of
    equally many in between the one that makes the largest triangle with its neighbours.
    """
    count = len(points)
    if wanted >= count or wanted < 3:
        return list(range(count))
    kept = [0]
    size = (count - 2) / (wanted - 2)
    for bucket in range(wanted - 2):
        start, end = int(bucket * size) + 1, int((bucket + 1) * size) + 1
        after = points[end : min(int((bucket + 2) * size) + 1, count)] or points[-1:]
        mean_x = sum(x for x, _ in after) / len(after)
        mean_y = sum(y for _, y in after) / len(after)
        last_x, last_y = points[kept[-1]]
        kept.append(
            max(
                range(start, end),
                key=lambda one: abs(
                    (last_x - mean_x) * (points[one][1] - last_y)
                    - (last_x - points[one][0]) * (mean_y - last_y)
                ),
            )
        )
    kept.append(count - 1)
    return kept


def every_nth(count: int, wanted: int) -> list[int]:
    """Return which of `count` points to keep, spread evenly: for clouds, where order is nothing."""
    if wanted >= count:
        return list(range(count))
    return [number * count // wanted for number in range(wanted)]

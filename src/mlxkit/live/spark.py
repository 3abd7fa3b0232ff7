"""A line of numbers as a line of characters."""

import math
from collections.abc import Sequence
from itertools import pairwise

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.-=+*%#"
GAP = " "


def spark(values: Sequence[float], width: int, *, levels: str = BLOCKS) -> str:
    """Draw values, oldest first, in at most `width` characters; more values are averaged.

    The lowest finite value is the first of `levels`, the highest the last. An infinite value is
    drawn at its end of the scale; what is not a number leaves a gap.
    """
    points = shortened(values, width)
    finite = [one for one in points if math.isfinite(one)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    return "".join(_level(one, low, high, levels) for one in points)


def shortened(values: Sequence[float], count: int) -> list[float]:
    """Return at most `count` values: neighbours are averaged, the newest one stays as it is."""
    size = len(values)
    if size <= count:
        return [float(one) for one in values]
    if count < 1:
        return []
    ends = [(size - 1) * index // (count - 1) for index in range(count)] if count > 1 else []
    parts = [values[start:end] for start, end in pairwise(ends)]
    return [*(mean(part) for part in parts), float(values[-1])]


def mean(values: Sequence[float]) -> float:
    """Return the average of the numbers among `values`; it cannot overflow."""
    numbers = [float(one) for one in values if not math.isnan(one)]
    if not numbers:
        return math.nan
    infinite = {one for one in numbers if math.isinf(one)}
    if infinite:
        return infinite.pop() if len(infinite) == 1 else math.nan
    return math.fsum(one / len(numbers) for one in numbers)


def _level(value: float, low: float, high: float, levels: str) -> str:
    if math.isnan(value):
        return GAP
    if math.isinf(value):
        return levels[-1] if value > 0 else levels[0]
    if low == high:
        return levels[len(levels) // 2 - 1]
    # The distance of two large numbers of opposite signs is infinite: theirs are halved first.
    part = 1.0 if math.isfinite(high - low) else 0.5
    share = (value * part - low * part) / (high * part - low * part)
    return levels[min(len(levels) - 1, int(share * len(levels)))]

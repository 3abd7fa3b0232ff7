"""Words for values, sizes and changes."""

import math
from typing import Any

from mlxkit.core.words import number, size
from mlxkit.reports.escape import shortened

_ENOUGH = 17
_LONGEST = 60


def apart(old: Any, new: Any) -> tuple[str, str]:
    """Return both values with as many digits as it takes to tell them apart."""
    for digits in range(5, _ENOUGH):
        before, after = value(old, digits), value(new, digits)
        if before != after or old == new:
            return before, after
    return value(old, 0), value(new, 0)


def value(one: Any, digits: int = 5) -> str:
    """Return a value in few words."""
    return "–" if one is None else shortened(number(one, digits), _LONGEST)


def signed(diff: float, old: Any) -> str:
    """Return a difference with its sign, and how large it is beside what was there."""
    told = ("" if diff < 0 else "+") + number(diff, 4)
    if isinstance(old, (int, float)) and not isinstance(old, bool) and old and math.isfinite(old):
        told += f" ({_percent(diff / abs(old))})"
    return told


def _percent(share: float) -> str:
    """Return a share with its sign; of one that would round to nothing, its first digit."""
    if 0 < abs(share) < 0.0005:
        return f"{share * 100:+.1g}%"
    return f"{share:+,.0%}" if abs(share) >= 10 else f"{share:+.1%}"


def better(word: bool | None) -> str:
    """Return how a change is judged."""
    return {True: "🟢 better", False: "🔴 worse", None: ""}[word]


def bytes_of(count: int | None) -> str:
    """Return a size, or that it is not known."""
    return "–" if count is None else size(count)

"""Finds documents whose aliases stand for more than could ever be written out."""

from typing import Any, Final

MOST: Final = 10_000_000
"""Values: a file that says more by its aliases, level upon level, is made to fill the memory."""


def expands_too_far(data: Any) -> bool:
    """Tell whether `data`, with all that it has by reference written out, is too large."""
    return _values(data, {}) > MOST


def _values(data: Any, known: dict[int, int]) -> int:
    if not isinstance(data, dict | list):
        return 1
    if id(data) not in known:
        known[id(data)] = (
            1  # an alias inside of what it names, a circle: walks end in that by depth
        )
        inner = data.values() if isinstance(data, dict) else data
        known[id(data)] = 1 + sum(_values(one, known) for one in inner)
    return known[id(data)]

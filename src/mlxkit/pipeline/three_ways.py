"""Merges mappings three ways, a key at a time (pure)."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

_ABSENT: Final = object()
UNKNOWN: Final = object()
"""The value of a key in a base that cannot be read: like nothing else."""


class Picked(NamedTuple):
    """What turns ours into the merge, and the keys that both sides changed in their own ways."""

    take: dict[Any, Any]
    drop: list[Any]
    clashes: list[Any]


def pick(
    base: Mapping[Any, Any] | None, ours: Mapping[Any, Any], theirs: Mapping[Any, Any]
) -> Picked:
    """Choose for each key; `None` for a base of which nothing is known.

    Ours keeps its order, and what only theirs has comes after it in theirs' order.
    """
    picked = Picked({}, [], [])
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        old = UNKNOWN if base is None else base.get(key, _ABSENT)
        mine, other = ours.get(key, _ABSENT), theirs.get(key, _ABSENT)
        if same(mine, other) or same(old, other):
            continue
        if not same(old, mine):
            picked.clashes.append(key)
        elif other is _ABSENT:
            picked.drop.append(key)
        else:
            picked.take[key] = other
    return picked


def same(one: Any, two: Any) -> bool:
    """Whether both are spelled alike to a reader: to Python, 1, 1.0 and true are equal."""
    if one is two:
        return True
    if isinstance(one, dict):
        return (
            isinstance(two, dict)
            and len(one) == len(two)
            and all(key in two and same(value, two[key]) for key, value in one.items())
        )
    if isinstance(one, list):
        return isinstance(two, list) and len(one) == len(two) and all(map(same, one, two))
    return repr(one) == repr(two)

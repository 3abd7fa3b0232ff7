"""Limits for JSON that strangers write: what those who read it later can take."""

import math
from typing import Any, NoReturn

_DEEPEST = 100


def finite(text: str) -> float:
    """Read a number; raises ValueError for one that is beyond all numbers."""
    found = float(text)
    return found if math.isfinite(found) else refuse(text)


def refuse(constant: str) -> NoReturn:
    """Raise ValueError: NaN and Infinity are no JSON."""
    raise ValueError(f"{constant} is no number")


def too_deep(value: Any, room: int = _DEEPEST) -> bool:
    """Tell whether a value has more levels than one can walk through."""
    inner = value.values() if isinstance(value, dict) else value
    return not room or any(too_deep(one, room - 1) for one in inner if isinstance(one, dict | list))

"""Limits for what strangers write: what those who read it later can take."""

import math
import sys
from typing import Any, NoReturn

_DEEPEST = 100
_LARGEST = int(sys.float_info.max)
TOO_LARGE = "has a number that is too large"


def finite(text: str) -> float:
    """Read a number; raises ValueError for one that is beyond all numbers."""
    found = float(text)
    return found if math.isfinite(found) else refuse(text)


def refuse(constant: str) -> NoReturn:
    """Raise ValueError: NaN and Infinity are no JSON."""
    raise ValueError(f"{constant} is no number")


def excess(value: Any, largest: int = _LARGEST, room: int = _DEEPEST) -> str:
    """Return what in a value is more than one can walk through, or reckon with; else nothing."""
    if isinstance(value, dict | list):
        if not room:
            return "is nested too deeply"
        inner = (*value, *value.values()) if isinstance(value, dict) else value
        return next((told for one in inner if (told := excess(one, largest, room - 1))), "")
    return TOO_LARGE if isinstance(value, int) and not -largest <= value <= largest else ""

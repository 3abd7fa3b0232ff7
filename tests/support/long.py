"""A part of many similar cases in `make test`, all of them in `make test-long`."""

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(values: Iterable[Any], every: int) -> list[Any]:
    """Mark as long all but every so-manieth value; a tuple is several parameters."""
    found = []
    for number, value in enumerate(values):
        parts = value if isinstance(value, tuple) else (value,)
        marks = () if number % every == 0 else (pytest.mark.long,)
        found.append(pytest.param(*parts, marks=marks))
    return found

"""Times, sizes, counts and numbers in words for people."""

from typing import Any


def duration(seconds: float) -> str:
    """Return seconds for people: `0.4 s`, `12 s`, `3 min 5 s`."""
    if round(seconds, 1) < 10:
        return f"{seconds:.1f} s"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def counted(number: int, noun: str) -> str:
    """Return `1 stage`, `2 stages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size(number: float) -> str:
    """Return bytes for people: `812 B`, `3.1 MB`; a kB is 1,000 bytes."""
    for unit in ("B", "kB", "MB", "GB"):
        if round(number, 1) < 1000:
            digits = 0 if unit == "B" or number >= 100 else 1
            return f"{number:.{digits}f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def number(value: Any, precision: int) -> str:
    """Return a value for people: `precision` significant digits (0: all), integers in full."""
    if not isinstance(value, float) or not precision:
        return str(value)
    if 10**precision <= abs(value) < 1e16:
        return f"{value:.0f}"
    return f"{value:.{precision}g}"

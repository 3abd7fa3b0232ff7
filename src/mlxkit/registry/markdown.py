"""Others' words as Markdown that shows them as they are; and what the tables of a card need."""

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MISSING = "not recorded"
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!@$&])")
_MOST = 200
"""So many rows a table has at most."""


def text(value: Any) -> str:
    """Return any value as one line that Markdown shows as it is."""
    plain = " ".join(str(value).split())
    plain = "".join(one if one.isprintable() else "�" for one in plain)
    return _MARKS.sub(r"\\\1", plain)


def code(value: Any) -> str:
    """Return a value as code, which its own backticks cannot end, nor a table's cell."""
    plain = "".join(one if one.isprintable() else "�" for one in str(value))
    fence = "`" * (1 + max((len(one) for one in re.findall("`+", plain)), default=0))
    space = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{space}{plain.replace('|', '¦')}{space}{fence}" if plain else MISSING


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table; what is too long for a reader is counted."""
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows[:_MOST]]
    if len(rows) > _MOST:
        lines += ["", f"{len(rows) - _MOST} more are left out."]
    return lines


def slices_of(values: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield title and values of each slice: the mappings that hold values, in those that do not."""
    if not isinstance(values, Mapping):
        return
    if above and any(not isinstance(one, Mapping) for one in values.values()):
        title = "=".join(above) if len(above) == 2 else ".".join(above)
        yield title, {key: one for key, one in values.items() if not isinstance(one, Mapping)}
        return
    for name, inner in values.items():
        yield from slices_of(inner, (*above, str(name)))


def has_slices(values: Mapping[str, Any]) -> bool:
    """Tell whether a metrics file is of slices: it holds groups alone."""
    return bool(values) and all(isinstance(one, Mapping) for one in values.values())


def date(seconds_: int) -> str:
    """Return the day of a time in seconds since 1970."""
    try:
        return f"{datetime.datetime.fromtimestamp(seconds_, datetime.UTC):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return MISSING


def seconds(value: float | None) -> str:
    """Return a duration."""
    return MISSING if value is None else f"{value:.1f} s"


def size(value: float | None) -> str:
    """Return a number of bytes."""
    return MISSING if value is None else f"{int(value):,} bytes"

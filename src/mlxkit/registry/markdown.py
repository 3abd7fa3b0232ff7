"""Others' words as Markdown that shows them as they are; and what the tables of a card need."""

import datetime
import re
from collections.abc import Sequence
from typing import Any

MISSING = "not recorded"
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!@$&])")
_BAR = re.compile(r"(?<!\\)\|")
_MOST = 200
"""So many rows a table has at most."""


def text(value: Any) -> str:
    """Return any value as one line that Markdown shows as it is."""
    plain = " ".join(str(value).split())
    plain = "".join(one if one.isprintable() else "�" for one in plain)
    return _MARKS.sub(r"\\\1", plain)


def code(value: Any) -> str:
    """Return a value as code of one line, which its own backticks cannot end."""
    plain = " ".join(str(value).splitlines()).replace("\t", " ")
    plain = "".join(one if one.isprintable() else "�" for one in plain)
    fence = "`" * (1 + max((len(one) for one in re.findall("`+", plain)), default=0))
    space = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{space}{plain}{space}{fence}" if plain else MISSING


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table; what is too long for a reader is counted."""
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows[:_MOST]]
    if len(rows) > _MOST:
        lines += ["", f"{len(rows) - _MOST} more are left out."]
    return lines


def _cell(shown: str) -> str:
    """Return what may stand in a table: there a bar ends the cell, in code, too."""
    return _BAR.sub(r"\\|", shown)


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
    if value is None:
        return MISSING
    return f"{int(value):,} byte{'' if int(value) == 1 else 's'}"

"""Cuts a text made of pieces down to a limit, the least important pieces first (pure).

GitHub takes comments of 262,144 bytes, and texts of pull requests of 65,536 characters; its errors
name the latter for both. Characters are counted as UTF-16 here, which is never less.
"""

from collections.abc import Sequence
from typing import NamedTuple

LIMIT = 65_536
_SPARE = 1_536
"""For what is put around a comment: a marker to find it again."""
_FOOT = 3_000
_NOTICE = 80


class Piece(NamedTuple):
    """A part of the text: `rows` may be cut from the end, `head` and `tail` go with them.

    Where all rows are cut, the piece is gone. The smaller `importance`, the later it is cut.
    """

    section: str
    importance: int
    head: str
    rows: Sequence[str]
    tail: str
    what: str
    """What people call the rows."""


class Fitted(NamedTuple):
    """The text, and what was cut of it."""

    text: str
    cut: Sequence[str]


def size(text: str) -> int:
    """Return the length of a text as JavaScript and many servers count it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def fit(first: str, parts: Sequence[Piece], limit: int = LIMIT) -> Fitted:
    """Return `first` and as much of the parts as there is room for, with room for a last line.

    `first` is never cut.
    """
    room = limit - _SPARE - _FOOT - size(first)
    kept: dict[int, int] = {}
    titles: set[str] = set()
    for number in sorted(range(len(parts)), key=lambda at: parts[at].importance):
        one = parts[number]
        title = 0 if one.section in titles else size(one.section)
        left = room - title - size(one.head) - size(one.tail) - _NOTICE
        rows = _rows(one.rows, left)
        if rows:
            kept[number] = rows
            titles.add(one.section)
            used = sum(size(row) for row in one.rows[:rows])
            room = left - used
    return Fitted(first + _joined(parts, kept), _cut(parts, kept))


def _rows(rows: Sequence[str], room: int) -> int:
    """Return how many rows there is room for."""
    for number, row in enumerate(rows):
        room -= size(row)
        if room < 0:
            return number
    return len(rows)


def _joined(parts: Sequence[Piece], kept: dict[int, int]) -> str:
    text, section = [], None
    for number, one in enumerate(parts):
        if number not in kept:
            continue
        if one.section != section:
            text.append(one.section)
            section = one.section
        text += [one.head, *one.rows[: kept[number]]]
        left = len(one.rows) - kept[number]
        text.append(f"\n… and {left:,} more, left out here\n" if left else "")
        text.append(one.tail)
    return "".join(text)


def _cut(parts: Sequence[Piece], kept: dict[int, int]) -> list[str]:
    """Say what is not there, in the words of the pieces."""
    found = []
    for number, one in enumerate(parts):
        left = len(one.rows) - kept.get(number, 0)
        if left:
            some = f" ({left:,} of {len(one.rows):,})" if number in kept else ""
            found.append(f"{one.what}{some}")
    return found

"""The two sides of a text with Git's conflict markers: written, and told apart (pure)."""

import re
from typing import Final, NamedTuple

_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
_MARK: Final = re.compile(r"(<{7,}|\|{7,}|={7,}|>{7,})(?: .*)?\n?")


class Marks(NamedTuple):
    """How the two sides are called, and how long a marker is."""

    ours: str = "ours"
    theirs: str = "theirs"
    size: int = 7


def wrap(ours: str, theirs: str, marks: Marks) -> str:
    """Put whole lines of both sides between markers."""
    first, middle, last = (mark * marks.size for mark in "<=>")
    return f"{first} {marks.ours}\n{ours}{middle}\n{theirs}{last} {marks.theirs}\n"


def split(text: str) -> tuple[str, str] | None:
    """Return the text as either side has it; None where the markers do not pair."""
    sides: tuple[list[str], list[str]] = ([], [])
    inside = ""
    for line in _LINE.findall(text):
        found = _MARK.fullmatch(line)
        mark = found[1][0] if found else ""
        if not mark:
            if inside in ("", "<"):
                sides[0].append(line)
            if inside in ("", "="):
                sides[1].append(line)
        elif f"{inside}{mark}" in ("<", "<|", "<=", "|=", "=>"):
            inside = "" if mark == ">" else mark
        else:
            return None
    return None if inside else ("".join(sides[0]), "".join(sides[1]))

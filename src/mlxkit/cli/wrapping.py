"""Text in the width of the terminal; further lines stand below it, not below what is before."""

import re
import sys
import textwrap

from mlxkit.cli import terminal

_STYLE = re.compile("\033\\[[0-9;]*m")
_LEAST = 16


def wrapped(text: str, start: str, further: str, style: str = "") -> None:
    """Print a text behind its start, further lines behind `further`; in a pipe, on one line."""
    columns = max(room(), len(further) + _LEAST)
    before = len(_STYLE.sub("", start))
    if before + _LEAST > columns:
        terminal.write(start.rstrip())
        start, before = further, len(further)
    lines = textwrap.wrap(
        terminal.printable(text), columns, break_on_hyphens=False,
        initial_indent=" " * before, subsequent_indent=" " * len(further),
    )  # fmt: skip
    lines = lines or [" " * before]
    terminal.write(start + terminal.styled(lines[0][before:], style))
    for line in lines[1:]:
        terminal.write(further + terminal.styled(line[len(further) :], style))


def cut(text: str, most: int) -> str:
    """Return a text of one line, cut to a length."""
    return text if len(text) <= most else text[: max(most - 1, 0)] + "…"


def room() -> int:
    """Return how many characters a line may have: those of the terminal; a pipe takes any."""
    return terminal.width(sys.stdout) if sys.stdout.isatty() else 10_000

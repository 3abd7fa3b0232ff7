"""Columns of text side by side, with the files they are from above them."""

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from mlxkit.cli import terminal
from mlxkit.cli.tables import GAP
from mlxkit.experiments.table import Row

_NARROWEST = 8
_SHORTEST = 3
"""A line of less than that beside a file's name looks like a part of it."""


class Drawn(NamedTuple):
    """A column as text: the title first, its `file` goes above; `marks` are rows with the best."""

    cells: list[str]
    left: bool = False
    marks: frozenset[int] = frozenset()
    file: str = ""

    @property
    def width(self) -> int:
        """Return how wide its text is."""
        return max(length(cell) for cell in self.cells) + (1 if self.marks else 0)


def total(taken: Sequence[Drawn]) -> int:
    """Return how wide columns are side by side."""
    widths = _widths(taken)
    return sum(widths) + len(GAP) * (len(widths) - 1)


def narrowed(names: Drawn, width: int) -> Drawn:
    """Return a column of names cut to a width."""
    most = max(width, _NARROWEST)
    return Drawn(
        [cell if len(cell) <= most else cell[: most - 1] + "…" for cell in names.cells], left=True
    )


def _widths(taken: Sequence[Drawn]) -> list[int]:
    """Return how wide the columns are: so that the files above them have room, too.

    A file's name may begin above columns before its own, as far as these have none.
    """
    widths = [one.width for one in taken]
    last = 0
    for start, end in _runs(taken):
        span = sum(widths[last:end]) + len(GAP) * (end - last - 1)
        needed = length(taken[start].file) + bool(taken[end - 1].marks)
        widths[start] += max(0, needed - span)
        last = end
    return widths


def _runs(taken: Sequence[Drawn]) -> Iterator[tuple[int, int]]:
    """Yield where columns of one file begin and end."""
    at = 0
    for file, several in groupby(taken, key=lambda one: one.file):
        end = at + len(list(several))
        if file:
            yield at, end
        at = end


def _files(taken: Sequence[Drawn], widths: Sequence[int]) -> str:
    """Return the line that names files, each above its columns."""
    line = ""
    rule = "─" if terminal.takes("─", sys.stdout) else "-"
    for start, end in _runs(taken):
        file = taken[start].file
        stop = sum(widths[:end]) + len(GAP) * (end - 1) - bool(taken[end - 1].marks)
        rest = stop - sum(widths[:start]) - len(GAP) * start - length(file)
        text = f"{file} {rule * (rest - 1)}" if end - start > 1 and rest > _SHORTEST else file
        line += " " * (stop - length(text) - length(line)) + text
    return line


def lines_of(rows: Sequence[Row], taken: Sequence[Drawn]) -> list[str]:
    """Return columns as lines of text."""
    widths = _widths(taken)
    files = _files(taken, widths)
    lines = [terminal.styled(files, "dim")] if files else []
    for at in range(len(rows) + 1):
        plain = "bold" if at == 0 or rows[at - 1].kind != "experiment" else ""
        line = ""
        for one, width in zip(taken, widths, strict=True):
            text = one.cells[at] + ("*" if at in one.marks else " " if one.marks else "")
            gap = " " * (width - length(text))
            style = "green" if at in one.marks else plain
            shown = terminal.styled(text, style) if style else text
            line += (GAP if line else "") + (shown + gap if one.left else gap + shown)
        lines.append(line.rstrip())
    return lines


def length(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)

"""What a report shows, whatever draws it: sections of lines, tables and diagrams."""

from collections.abc import Sequence
from typing import NamedTuple


class Code(str):
    """A name or value, set as code."""


class Strong(str):
    """Words that stand out."""


Cell = str | Sequence[str]
"""A text, or pieces of one that are drawn together; whoever draws escapes all of it."""


class Lines(NamedTuple):
    """Lines, one below the other, as a list where `bullets`; folded under `summary` if there is."""

    importance: int
    lines: Sequence[Cell]
    summary: str = ""
    bullets: bool = True


class Table(NamedTuple):
    """A table; `right` are columns of numbers. Folded under `summary` if there is one."""

    importance: int
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    summary: str = ""
    right: frozenset[int] = frozenset()


class Diagram(NamedTuple):
    """A Mermaid diagram, folded under `summary`."""

    importance: int
    text: str
    summary: str


Block = Lines | Table | Diagram


class Section(NamedTuple):
    """A part of the report; without blocks it is not shown."""

    title: str
    blocks: Sequence[Block]


def pieces(cell: Cell) -> Sequence[str]:
    """Return the pieces of a cell."""
    return [cell] if isinstance(cell, str) else cell

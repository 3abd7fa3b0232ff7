"""A file to read a table from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_AT_ONCE = 30


class Source(NamedTuple):
    """A file to read: where it is, and the name that tells its format and that users know."""

    path: str
    name: str
    label: str


def literal(text: str) -> str:
    """Return a text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def one_row(con: "DuckDBPyConnection", table: str, cells: Sequence[str]) -> list[Any]:
    """Return the one row that these aggregates come to, asked some at a time.

    DuckDB takes the square of their number as time: a thousand columns were minutes.
    """
    found: list[Any] = []
    for at in range(0, len(cells), _AT_ONCE):
        part = ", ".join(cells[at : at + _AT_ONCE])
        found += con.execute(f"SELECT {part} FROM {table}").fetchone() or ()
    return found

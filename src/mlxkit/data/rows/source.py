"""A file to read a table from."""

from typing import NamedTuple


class Source(NamedTuple):
    """A file to read: where it is, and the name that tells its format and that users know."""

    path: str
    name: str
    label: str


def literal(text: str) -> str:
    """Return a text as SQL."""
    return "'" + text.replace("'", "''") + "'"

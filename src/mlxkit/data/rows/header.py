"""The header of a CSV file: its names, delimiter and line ends."""

import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.data.rows.source import Source, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BEGINNING = 1 << 20
_LINES = 50
_LONGEST = 2 << 20
"""Bytes that DuckDB allows a line."""
_WIDEST = 10_000
"""Columns; what DuckDB needs for each is small, but needed at once."""
_LINE_ENDS = {"\r\n": "\\r\\n", "\n": "\\n", "\r": "\\r"}


class Header(NamedTuple):
    """The first record: its names, how many lines it takes, and what ends it (as DuckDB has it)."""

    delimiter: str
    names: list[str]
    lines: int
    line_end: str


def first_text(con: "DuckDBPyConnection", source: Source, compression: str) -> str:
    """Return the beginning of a file as text; with zstd its line ends are not told."""
    if compression == "zstd":
        return _first_lines(con, source)
    try:
        if compression == "gzip":
            with gzip.open(source.path, "rb") as packed:
                raw = packed.read(_BEGINNING)
        else:
            with open(source.path, "rb") as file:
                raw = file.read(_BEGINNING)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise MlxError(
            f"{source.label} cannot be unpacked: {error}", hint="see: gzip --test FILE"
        ) from error
    return raw.decode("utf-8-sig", "replace")


def ends_in_long_line(path: str) -> bool:
    """Tell whether the last line of a file may be longer than DuckDB takes; raises OSError."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LONGEST))
        return size > _LONGEST and not re.search(rb"[\r\n](?=[^\r\n])", file.read())


def refuse_wide(source: Source, columns: int) -> None:
    """Raise MlxError for more columns than can be read in sensible time and memory."""
    if columns > _WIDEST:
        raise MlxError(
            f"{source.label} has {columns} columns: more than {_WIDEST} are not read",
            hint="make rows of them: name, value",
        )


def read_header(text: str, delimiter: str) -> Header:
    """Return the first record of a text, as far as it is read with this delimiter."""
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        names = next(reader, [])
    except csv.Error:
        return Header(delimiter, [], 1, "")
    last = lines[reader.line_num - 1] if names else ""
    end = next((one for one in _LINE_ENDS if last.endswith(one)), "")
    return Header(delimiter, names, reader.line_num, _LINE_ENDS.get(end, ""))


def unique(names: Sequence[str]) -> list[str]:
    """Return the header's names, those that come again with a number."""
    found: dict[str, None] = {}
    for name in names:
        chosen, number = name, 0
        while chosen in found:
            number += 1
            chosen = f"{name}.{number}"
        found[chosen] = None
    return list(found)


def _first_lines(con: "DuckDBPyConnection", source: Source) -> str:
    found = con.execute(
        f"SELECT line FROM read_csv({literal(source.path)}, compression='zstd',"
        " auto_detect=false, header=false, delim='\x1f', quote='', escape='', strict_mode=false,"
        f" null_padding=true, columns={{'line': 'VARCHAR'}}) LIMIT {_LINES}"
    ).fetchall()
    return "".join(f"{row[0] or ''}\n" for row in found)

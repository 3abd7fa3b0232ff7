"""Reads CSV, TSV, JSON Lines and Parquet files into DuckDB, each column under a name of ours.

Text formats are read as text and typed here: DuckDB's own guess looks at a sample, takes `007` for
7 and long numbers for floats, and a comparison must not call different things the same.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mlxkit.core.errors import MlxError, UsageError
from mlxkit.data.rows.header import (
    ends_in_long_line,
    first_text,
    read_header,
    refuse_wide,
    unique,
)
from mlxkit.data.rows.kinds import kinds_of
from mlxkit.data.rows.source import Source, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
_DELIMITERS = (",", ";", "\t", "|")
_JSON_STRING = "VARCHAR"
_FIRST = 1000
_LONG = 200


class ReadColumn(NamedTuple):
    """A column of a table: the file's name for it, ours, and its type in SQL (or `EMPTY`)."""

    name: str
    id: str
    type: str


class Table(NamedTuple):
    """A table that was read."""

    table: str
    columns: list[ReadColumn]


def format_of(name: str) -> tuple[str, str]:
    """Return the format and compression that a file's name tells; raises UsageError."""
    stem, ending = os.path.splitext(name.lower())
    compression = _COMPRESSIONS.get(ending, "none")
    if compression != "none":
        ending = os.path.splitext(stem)[1]
    kind = _FORMATS.get(ending)
    if kind is None or (kind == "parquet" and compression != "none"):
        raise UsageError(
            f"'{name}' is no table by its name",
            hint="tables end in .csv, .tsv, .jsonl, .ndjson (each also with .gz, .zst) or .parquet",
        )
    return kind, compression


def read(con: "DuckDBPyConnection", table: str, source: Source) -> Table:
    """Read a file into `table`; raises MlxError, naming the line where the file is damaged."""
    import duckdb

    kind, compression = format_of(source.name)
    try:
        if kind == "parquet":
            return _read_parquet(con, table, source)
        if kind == "jsonl":
            return _read_lines(con, table, source, compression)
        delimiters = ("\t",) if kind == "tsv" else _DELIMITERS
        return _read_csv(con, table, source, compression, delimiters)
    except duckdb.OutOfMemoryException as error:
        raise MlxError(
            f"{source.label} does not fit: {_first_line(error)}", hint="free memory or disk space"
        ) from error
    except duckdb.Error as error:
        raise MlxError(
            f"{source.label} cannot be read as {kind}: {_explained(error, source)}",
            hint="text must be UTF-8, rows as long as the header, line ends of one kind",
        ) from error


def _read_parquet(con: "DuckDBPyConnection", table: str, source: Source) -> Table:
    scan, columns = parquet_scan(con, source)
    con.execute(f"CREATE TABLE {table} AS {scan}")
    return Table(table, columns)


def parquet_scan(con: "DuckDBPyConnection", source: Source) -> tuple[str, list[ReadColumn]]:
    """Return SQL that reads a Parquet file, and its columns; raises DuckDB's errors, MlxError."""
    scan = f"read_parquet({literal(source.path)})"
    types = [row[1] for row in con.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()]
    refuse_wide(source, len(types))
    names = unique(_parquet_names(con, source))
    if len(names) != len(types):
        raise MlxError(f"{source.label} cannot be read as parquet: its schema is damaged")
    columns = [ReadColumn(*one) for one in zip(names, _ids(len(types)), types, strict=True)]
    return f"SELECT * FROM {scan} AS t({', '.join(_ids(len(types)))})", columns


def _ids(number: int) -> list[str]:
    return [f"c{at}" for at in range(number)]


def _parquet_names(con: "DuckDBPyConnection", source: Source) -> list[str]:
    """Return the columns' names as the file has them: to DuckDB `a` and `A` are one name."""
    asked = f"SELECT name, coalesce(num_children, 0) FROM parquet_schema({literal(source.path)})"
    rows = con.execute(asked).fetchall()
    names = []
    inside = 0  # so many parts of a nested column are still to come
    for name, parts in rows[1:]:
        if not inside:
            names.append(name)
        inside = max(0, inside - 1) + parts
    return names


def _read_csv(
    con: "DuckDBPyConnection",
    table: str,
    source: Source,
    compression: str,
    delimiters: Sequence[str],
) -> Table:
    text = first_text(con, source, compression)
    heads = [read_header(text, one) for one in delimiters]
    head = max(heads, key=lambda one: len(one.names))
    if compression == "zstd" and head.line_end and head.lines > 1:
        raise MlxError(
            f"{source.label} has a header of several lines, which is read of .csv and .csv.gz only",
            hint="unpack the file",
        )
    names = unique(head.names)
    refuse_wide(source, len(names))
    if not names:
        con.execute(f"CREATE TABLE {table} (nothing VARCHAR)")
        return Table(table, [])
    ids = [f"c{index}" for index in range(len(names))]
    types = ", ".join(f"'{one}': 'VARCHAR'" for one in ids)
    # Left to itself DuckDB takes the first line end, be it in quotes, for that of all rows, and
    # then finds none, without an error.
    known = head.line_end and compression != "zstd"
    line_end = f" new_line={literal(head.line_end)}," if known else ""
    # Several threads drop a last row of tens of megabytes without a word; one says that it is long.
    alone = compression != "none" or ends_in_long_line(source.path)
    con.execute(
        f"CREATE TABLE {table} AS SELECT * FROM read_csv({literal(source.path)}, auto_detect=false,"
        f" header=true, compression='{compression}', delim={literal(head.delimiter)},{line_end}"
        f" quote='\"', escape='\"', parallel={not alone}, columns={{{types}}})"
    )
    return Table(table, _typed(con, table, names, ids, set()))


def _read_lines(con: "DuckDBPyConnection", table: str, source: Source, compression: str) -> Table:
    scan = f"read_ndjson_objects({literal(source.path)}, compression='{compression}')"
    odd = con.execute(f"SELECT count(*) FROM {scan} WHERE json_type(json) <> 'OBJECT'").fetchone()
    if odd and odd[0]:
        raise MlxError(
            f"{source.label} has {odd[0]} lines that are no JSON objects",
            hint='each line must be one object, as in {"id": 1}',
        )
    found = con.execute(
        "SELECT k, min(line) FROM (SELECT unnest(json_keys(json)) k, row_number() OVER () line"
        f" FROM {scan}) GROUP BY k ORDER BY 2, 1"
    ).fetchall()
    names = [str(row[0]) for row in found]
    refuse_wide(source, len(names))
    if not names:
        con.execute(f"CREATE TABLE {table} AS SELECT 1 AS nothing FROM {scan}")
        return Table(table, [])
    ids = [f"c{index}" for index in range(len(names))]
    paths = "[" + ", ".join(literal(_pointer(name)) for name in names) + "]"
    cells = ", ".join(f"v[{at + 1}] AS {one}" for at, one in enumerate(ids))
    con.execute(
        f"CREATE TABLE {table} AS SELECT {cells}"
        f" FROM (SELECT json_extract_string(json, {paths}) v FROM {scan})"
    )
    flags = ", ".join(f"bool_or(t[{at + 1}] = '{_JSON_STRING}')" for at in range(len(ids)))
    row = con.execute(f"SELECT {flags} FROM (SELECT json_type(json, {paths}) t FROM {scan})")
    texts = {one for one, flag in zip(ids, row.fetchone() or (), strict=False) if flag}
    return Table(table, _typed(con, table, names, ids, texts))


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _typed(
    con: "DuckDBPyConnection", table: str, names: Sequence[str], ids: Sequence[str], texts: set[str]
) -> list[ReadColumn]:
    """Tell what the values of each column of text are, looking at all of them."""
    # Most columns of words betray themselves at once; trying each of their values is slow.
    known = kinds_of(con, table, [one for one in ids if one not in texts], f" LIMIT {_FIRST}")
    open_ids = [one for one in ids if one not in texts and known[one] != "VARCHAR"]
    kinds = dict.fromkeys(ids, "VARCHAR") | kinds_of(con, table, open_ids)
    return [ReadColumn(name, one, kinds[one]) for name, one in zip(names, ids, strict=True)]


def _explained(error: Exception, source: Source) -> str:
    """Say what is wrong, in few words, without the name that the file has for a moment only."""
    text = str(error).replace(source.path, source.name)
    lines = [line.strip()[:_LONG] for line in text.splitlines()]
    told = [line for line in lines if line and not line.startswith(("Possible", "*", "file ="))]
    return " ".join(told[:3]).removeprefix("Invalid Input Error: ")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]

"""How two tables differ: rows by key, or as a whole, and what became of each column."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlxkit.core.errors import MlxError, UsageError
from mlxkit.core.files import scratch_folder
from mlxkit.data.rows.kinds import EMPTY
from mlxkit.data.rows.match import Shared, Sides, match_by_key, match_whole
from mlxkit.data.rows.read import ReadColumn, Table, read
from mlxkit.data.rows.report import Column, RowsDiff
from mlxkit.data.rows.source import Source, literal
from mlxkit.data.rows.stats import complete_tops, find_stats

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EXACT_ROWS = 2_000_000
"""Up to so many rows distinct counts and quantiles are exact: they need all values at once."""

_SIGNED = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
_WHOLE = (*_SIGNED, "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT")
_NUMBERS = (*_WHOLE, "FLOAT", "DOUBLE", "DECIMAL")
_LABELS = {
    "TINYINT": "int8",
    "SMALLINT": "int16",
    "INTEGER": "int32",
    "BIGINT": "int64",
    "HUGEINT": "int128",
    "FLOAT": "float32",
    "DOUBLE": "float64",
    "VARCHAR": "text",
    EMPTY: "empty",
}


def diff_rows(old: Source, new: Source, *, key: Sequence[str] = (), limit: int = 10) -> RowsDiff:
    """Compare two tables; at most `limit` rows of each kind are listed.

    `key` are columns that name a row; without, whole rows are compared, as often as they occur.
    Raises UsageError for a key that is not there or not unique, MlxError for an unreadable file.
    """
    with connected((old, new)) as (con, (here, there)):
        import duckdb

        tables = read(con, "raw_old", here), read(con, "raw_new", there)
        try:
            return _compared(con, tables, (old, new), key, limit)
        except duckdb.OutOfMemoryException as error:
            raise MlxError(
                f"comparing {old.label} and {new.label} needs more memory than there is",
                hint="close other programs, or compare fewer columns",
            ) from error


@contextmanager
def connected(
    sources: Sequence[Source],
) -> Iterator[tuple["DuckDBPyConnection", list[Source]]]:
    """Open an empty database that may read these files and nothing else; it spills to the disk.

    Also gives the files under names of ours: DuckDB would take a `*` in theirs for a pattern.
    """
    try:
        import duckdb
    except ImportError:
        raise MlxError(
            "comparing rows needs duckdb", hint="run: pip install 'mlxkit[tables]'"
        ) from None
    import psutil

    with scratch_folder("mlx-rows-") as folder:
        links = [os.path.join(folder, f"table{at}") for at in range(len(sources))]
        for link, source in zip(links, sources, strict=True):
            os.symlink(source.path, link)
        con = duckdb.connect()
        try:
            for setting in (
                "autoinstall_known_extensions=false",
                "autoload_known_extensions=false",
                f"memory_limit='{psutil.virtual_memory().available // 2} B'",
                f"temp_directory={literal(os.path.join(folder, 'spill'))}",
                "preserve_insertion_order=true",
                "enable_progress_bar=false",
                f"allowed_paths=[{', '.join(literal(link) for link in links)}]",
                "enable_external_access=false",
                "lock_configuration=true",
            ):
                con.execute(f"SET {setting}")
            yield (
                con,
                [one._replace(path=link) for one, link in zip(sources, links, strict=True)],
            )
        finally:
            con.close()


def _compared(
    con: "DuckDBPyConnection",
    tables: tuple[Table, Table],
    sources: tuple[Source, Source],
    key: Sequence[str],
    limit: int,
) -> RowsDiff:
    old, new = ({one.name: one for one in table.columns} for table in tables)
    chosen = _key(key, old, new)
    names = list(dict.fromkeys([*old, *new]))
    sides = _sides(names, old, new)
    counts = (
        _typed_table(con, tables[0], old, [*sides.shared, *sides.old], "old"),
        _typed_table(con, tables[1], new, [*sides.shared, *sides.new], "new"),
    )
    if chosen:
        for source, side in zip(sources, ("old", "new"), strict=True):
            _refuse_duplicates(
                con, [one for one in sides.shared if one.name in chosen], side, source
            )
        matched = match_by_key(con, sides, chosen, limit)
    else:
        matched = match_whole(con, sides, limit)
    exact = max(counts) <= EXACT_ROWS
    before = find_stats(con, "old", counts[0], [*sides.shared, *sides.old], exact=exact)
    after = find_stats(con, "new", counts[1], [*sides.shared, *sides.new], exact=exact)
    before, after = (
        complete_tops(con, "old", sides.shared, before, after),
        complete_tops(con, "new", sides.shared, after, before),
    )
    return RowsDiff(
        old=sources[0].label,
        new=sources[1].label,
        old_rows=counts[0],
        new_rows=counts[1],
        key=chosen,
        added=matched.added,
        removed=matched.removed,
        changed=matched.changed,
        columns=[
            Column(
                name,
                label(old[name].type) if name in old else None,
                label(new[name].type) if name in new else None,
                before.get(name),
                after.get(name),
                matched.cells.get(name),
            )
            for name in names
        ],
        changed_rows=matched.changed_rows,
        added_rows=matched.added_rows,
        removed_rows=matched.removed_rows,
        approximate=not exact,
    )


def _sides(names: Sequence[str], old: dict[str, ReadColumn], new: dict[str, ReadColumn]) -> Sides:
    """Give each column an id and the type to compare it in."""
    sides: tuple[list[Shared], list[Shared], list[Shared]] = ([], [], [])
    for at, name in enumerate(names):
        if name in old and name in new:
            sides[0].append(Shared(name, f"u{at}", unified(old[name].type, new[name].type)))
        elif name in old:
            sides[1].append(Shared(name, f"u{at}", _sql(old[name].type)))
        else:
            sides[2].append(Shared(name, f"u{at}", _sql(new[name].type)))
    return Sides(*sides)


def unified(one: str, other: str) -> str:
    """Return the SQL type in which values of two types are compared: text where nothing fits."""
    if EMPTY in (one, other):
        return _sql(other if one == EMPTY else one)
    if one == other:
        return one
    kinds = {one.partition("(")[0], other.partition("(")[0]}
    if kinds <= set(_SIGNED):
        return "BIGINT"
    if kinds <= set(_WHOLE):
        return "HUGEINT"
    return "DOUBLE" if kinds <= set(_NUMBERS) else "VARCHAR"


def label(sql_type: str) -> str:
    """Return a type's name for people."""
    return _LABELS.get(sql_type, sql_type.lower())


def _sql(sql_type: str) -> str:
    return "VARCHAR" if sql_type == EMPTY else sql_type


def _typed_table(
    con: "DuckDBPyConnection",
    table: Table,
    columns: dict[str, ReadColumn],
    wanted: Sequence[Shared],
    side: str,
) -> int:
    """Make the table `side` of what was read, its columns as they are compared; count its rows."""
    cells = [f"CAST({columns[one.name].id} AS {one.type}) AS {one.id}" for one in wanted]
    cells.append("true AS here")
    con.execute(f"CREATE TABLE {side} AS SELECT {', '.join(cells)} FROM {table.table}")
    con.execute(f"DROP TABLE {table.table}")
    row: Any = con.execute(f"SELECT count(*) FROM {side}").fetchone()
    return int(row[0])


def _key(given: Sequence[str], old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return the columns of the key; a name may be a list with commas. Raises UsageError."""
    chosen: list[str] = []
    for one in given:
        known = one in old and one in new
        chosen += [one] if known else [part.strip() for part in one.split(",")]
    for one in chosen:
        if one not in old or one not in new:
            both = [name for name in old if name in new]
            raise UsageError(
                f"the key's column '{one}' is not in both tables",
                hint="both have: " + ", ".join(both[:12]) + (", ..." if len(both) > 12 else ""),
            )
    return list(dict.fromkeys(chosen))


def _refuse_duplicates(
    con: "DuckDBPyConnection", key: Sequence[Shared], side: str, source: Source
) -> None:
    ids = ", ".join(one.id for one in key)
    found: Any = con.execute(
        f"SELECT {', '.join(f'CAST({one.id} AS VARCHAR)' for one in key)}, count(*) FROM {side}"
        f" GROUP BY {ids} HAVING count(*) > 1 ORDER BY {ids} LIMIT 1"
    ).fetchone()
    if found is not None:
        pairs = zip(key, found, strict=False)
        example = ", ".join(f"{one.name}={_quoted(value)}" for one, value in pairs)
        raise UsageError(
            f"the key is not unique in {source.label}: {found[-1]} rows have {example}",
            hint="name more columns: --key A,B   (without --key, whole rows are compared)",
        )


def _quoted(value: Any) -> str:
    return "null" if value is None else repr(value)

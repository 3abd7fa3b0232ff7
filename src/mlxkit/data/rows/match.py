"""Matches the rows of two tables, `old` and `new`, in SQL; each column has an id of ours."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mlxkit.data.rows.report import Cell, Changed, Row

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_AS_THEY_ARE = (
    *("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("DOUBLE", "VARCHAR"),
)


class Shared(NamedTuple):
    """A column: its name in the files, its id in SQL, and its type there."""

    name: str
    id: str
    type: str


class Sides(NamedTuple):
    """The columns that both tables have, and those that only one has."""

    shared: Sequence[Shared]
    old: Sequence[Shared]
    new: Sequence[Shared]


class Matched(NamedTuple):
    """How many rows differ, the first of them, and the changed cells by column."""

    added: int
    removed: int
    changed: int | None
    cells: Mapping[str, int]
    changed_rows: list[Changed]
    added_rows: list[Row]
    removed_rows: list[Row]


def match_by_key(
    con: "DuckDBPyConnection", sides: Sides, key: Sequence[str], limit: int
) -> Matched:
    """Match rows with equal keys, which are unique; no value equals no value."""
    by_name = {one.name: one for one in sides.shared}
    keys = [by_name[name] for name in key]
    rest = [one for one in sides.shared if one.name not in key]
    on = " AND ".join(f"o.{one.id} IS NOT DISTINCT FROM n.{one.id}" for one in keys)
    joined = f"FROM old o FULL JOIN new n ON {on}"
    both = "o.here AND n.here"
    differs = [f"o.{one.id} IS DISTINCT FROM n.{one.id}" for one in rest]
    any_differs = f"({' OR '.join(differs)})" if differs else "false"
    counted = [
        "o.here IS NULL",
        "n.here IS NULL",
        f"{both} AND {any_differs}",
        *(f"{both} AND {one}" for one in differs),
    ]
    asked = ", ".join(f"count(*) FILTER ({one})" for one in counted)
    found: Any = con.execute(f"SELECT {asked} {joined}").fetchone()
    added, removed, changed, *cells = found
    return Matched(
        added=added,
        removed=removed,
        changed=changed,
        cells={one.name: count for one, count in zip(rest, cells, strict=True)},
        changed_rows=(
            _changed_rows(con, joined, f"{both} AND {any_differs}", keys, rest, limit)
            if changed
            else []
        ),
        added_rows=_own_rows(con, "new", "old", sides.shared, sides.new, keys, limit)
        if added
        else [],
        removed_rows=_own_rows(con, "old", "new", sides.shared, sides.old, keys, limit)
        if removed
        else [],
    )


def match_whole(con: "DuckDBPyConnection", sides: Sides, limit: int) -> Matched:
    """Compare how often each row occurs, by the columns that both tables have."""
    if not sides.shared:
        found: Any = con.execute(
            "SELECT (SELECT count(*) FROM new), (SELECT count(*) FROM old)"
        ).fetchone()
        return Matched(found[0], found[1], None, {}, [], [], [])
    ids = ", ".join(one.id for one in sides.shared)
    con.execute(
        f"CREATE TABLE surplus AS SELECT {ids}, sum(one) AS more FROM ("
        f"SELECT {ids}, 1 AS one FROM new UNION ALL SELECT {ids}, -1 AS one FROM old)"
        f" GROUP BY {ids} HAVING sum(one) <> 0"
    )
    counts: Any = con.execute(
        "SELECT coalesce(sum(greatest(more, 0)), 0), coalesce(sum(greatest(-more, 0)), 0)"
        " FROM surplus"
    ).fetchone()

    def rows(sign: str) -> list[Row]:
        found = con.execute(
            f"SELECT {_cells(sides.shared)}, abs(more) FROM surplus WHERE more {sign} 0"
            f" ORDER BY {ids} LIMIT {limit}"
        ).fetchall()
        return [Row(_named(sides.shared, row), int(row[-1])) for row in found]

    return Matched(int(counts[0]), int(counts[1]), None, {}, [], rows(">"), rows("<"))


def _changed_rows(
    con: "DuckDBPyConnection",
    joined: str,
    where: str,
    keys: Sequence[Shared],
    rest: Sequence[Shared],
    limit: int,
) -> list[Changed]:
    differs = ", ".join(f"o.{one.id} IS DISTINCT FROM n.{one.id}" for one in rest)
    order = ", ".join(f"o.{one.id}" for one in keys)
    found = con.execute(
        f"SELECT {_cells(keys, 'o.')}, {_cells(rest, 'o.')}, {_cells(rest, 'n.')}, {differs}"
        f" {joined} WHERE {where} ORDER BY {order} LIMIT {limit}"
    ).fetchall()
    changed = []
    for row in found:
        cells = row[len(keys) :]
        width = len(rest)
        changed.append(
            Changed(
                _named(keys, row),
                {
                    one.name: (cells[at], cells[width + at])
                    for at, one in enumerate(rest)
                    if cells[2 * width + at]
                },
            )
        )
    return changed


def _own_rows(
    con: "DuckDBPyConnection",
    mine: str,
    other: str,
    shared: Sequence[Shared],
    own: Sequence[Shared],
    keys: Sequence[Shared],
    limit: int,
) -> list[Row]:
    """Return the first rows of one table whose key the other does not have."""
    on = " AND ".join(f"o.{one.id} IS NOT DISTINCT FROM n.{one.id}" for one in keys)
    columns = [*shared, *own]
    found = con.execute(
        f"SELECT {_cells(columns, 'o.')} FROM {mine} o WHERE NOT EXISTS"
        f" (SELECT 1 FROM {other} n WHERE {on})"
        f" ORDER BY {', '.join(f'o.{one.id}' for one in keys)} LIMIT {limit}"
    ).fetchall()
    return [Row(_named(columns, row)) for row in found]


def _cells(columns: Sequence[Shared], side: str = "") -> str:
    """Select values as they are shown: numbers and text as such, all else as text."""
    return ", ".join(
        f"{side}{one.id}" if one.type in _AS_THEY_ARE else f"CAST({side}{one.id} AS VARCHAR)"
        for one in columns
    )


def _named(columns: Sequence[Shared], row: Sequence[Any]) -> dict[str, Cell]:
    return {one.name: value for one, value in zip(columns, row, strict=False)}

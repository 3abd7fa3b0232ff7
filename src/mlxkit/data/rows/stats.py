"""What the values of a table's columns are like, computed in SQL."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlxkit.data.rows.match import Shared
from mlxkit.data.rows.report import Stats

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TOP = 3
_FLOATS = ("FLOAT", "DOUBLE")
_NUMBERS = (
    *_FLOATS,
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
    "DECIMAL",
)


def find_stats(
    con: "DuckDBPyConnection", table: str, rows: int, columns: Sequence[Shared], *, exact: bool
) -> dict[str, Stats]:
    """Describe each column; not `exact`, distinct counts and quantiles are estimates."""
    return {
        one.name: (_numbers if _is_number(one) else _values)(con, table, rows, one, exact)
        for one in columns
    }


def complete_tops(
    con: "DuckDBPyConnection",
    table: str,
    columns: Sequence[Shared],
    mine: dict[str, Stats],
    other: dict[str, Stats],
) -> dict[str, Stats]:
    """Count the other side's most frequent values here, too, so that each has two shares."""
    found = dict(mine)
    for one in columns:
        known = mine[one.name].top
        wanted = [value for value, _ in other[one.name].top if value not in dict(known)]
        if not wanted:
            continue
        marks = ", ".join("?" for _ in wanted)
        rows = con.execute(
            f"SELECT CAST({one.id} AS VARCHAR) AS v, count(*) FROM {table}"
            f" WHERE v IN ({marks}) GROUP BY v",
            wanted,
        ).fetchall()
        counts = dict(rows)
        more = tuple((value, counts.get(value, 0)) for value in wanted)
        found[one.name] = mine[one.name]._replace(top=(*known, *more))
    return found


def _is_number(one: Shared) -> bool:
    return one.type.partition("(")[0] in _NUMBERS


def _numbers(con: "DuckDBPyConnection", table: str, rows: int, one: Shared, exact: bool) -> Stats:
    value = f"CAST({one.id} AS DOUBLE)"
    finite = f"FILTER (isfinite({value}))"
    nan = f"count(*) FILTER (isnan({one.id}))" if one.type in _FLOATS else "0"
    quantile = "quantile_cont" if exact else "approx_quantile"
    found: Any = con.execute(
        f"SELECT count({one.id}), {nan}, {_distinct(one.id, exact)}, avg({value}) {finite},"
        f" stddev_samp({value}) {finite}, {quantile}({value}, [0.05, 0.5, 0.95]) {finite}"
        f" FROM {table}"
    ).fetchone()
    values, nans, distinct, mean, std, quantiles = found
    p5, p50, p95 = quantiles or (None, None, None)
    return Stats(rows, rows - values, nans, distinct, mean, std, p5, p50, p95)


def _values(con: "DuckDBPyConnection", table: str, rows: int, one: Shared, exact: bool) -> Stats:
    found: Any = con.execute(
        f"SELECT count({one.id}), {_distinct(one.id, exact)} FROM {table}"
    ).fetchone()
    top = con.execute(
        f"SELECT CAST({one.id} AS VARCHAR) AS v, count(*) AS n FROM {table}"
        f" WHERE {one.id} IS NOT NULL GROUP BY {one.id} ORDER BY n DESC, v LIMIT {TOP}"
    ).fetchall()
    return Stats(
        rows, rows - found[0], 0, found[1], top=tuple((value, count) for value, count in top)
    )


def _distinct(one: str, exact: bool) -> str:
    return f"count(DISTINCT {one})" if exact else f"approx_count_distinct({one})"

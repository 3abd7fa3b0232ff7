"""What type the values of a column of text have, by all of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlxkit.data.rows.source import one_row

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EMPTY = "EMPTY"
"""The type of a column that holds no value."""
_AT_ONCE = 10


def kinds_of(
    con: "DuckDBPyConnection", table: str, ids: Sequence[str], limit: str = ""
) -> dict[str, str]:
    """Return the SQL type of these columns of text, or `EMPTY`, by all values up to `limit`."""
    found: dict[str, str] = {}
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        asked = [
            cell for one in part for cell in (f"count({one})", _not_whole(one), _not_number(one))
        ]
        row = one_row(con, f"(SELECT {', '.join(part)} FROM {table}{limit})", asked)
        found |= {one: _kind(*row[3 * at : 3 * at + 3]) for at, one in enumerate(part)}
    return found


def _kind(values: int, not_whole: int, not_number: int) -> str:
    if not values:
        return EMPTY
    if not not_whole:
        return "BIGINT"
    return "VARCHAR" if not_number else "DOUBLE"


def _not_whole(one: str) -> str:
    """Count what is no whole number in its one spelling: not `007`, `+7`, ` 7`."""
    return f"count(*) FILTER ({one} IS NOT NULL AND {_odd(one)})"


def _not_number(one: str) -> str:
    """Count what is no number, or one that a float would change: long digits, leading zeros."""
    digits = f"NOT contains({one}, '.') AND {one} NOT ILIKE '%e%' AND {one} NOT ILIKE '%n%'"
    return (
        f"count(*) FILTER ({one} IS NOT NULL AND (TRY_CAST({one} AS DOUBLE) IS NULL"
        f" OR ({_odd(one)} AND {one} <> '-0' AND {digits})))"
    )


def _odd(one: str) -> str:
    return f"CAST(TRY_CAST({one} AS BIGINT) AS VARCHAR) IS DISTINCT FROM {one}"

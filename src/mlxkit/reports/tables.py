"""What tables of two revisions are like: rows, and columns that shifted; one pass over each."""

import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.core.memory import cache_path, recall, remember
from mlxkit.core.words import number
from mlxkit.data.rows.source import Source, one_row
from mlxkit.reports.changes import Shift

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from mlxkit.data.rows.read import ReadColumn

_FORMAT = 1
_KEPT = 500
_LEAST = 0.01
"""Standard deviations, or parts of all rows, that are worth to be told."""
_MOST = 8
_NUMBERS = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
)


class Column(NamedTuple):
    """A column: its type, the share of rows without value; mean and deviation of numbers."""

    kind: str
    nulls: float
    mean: float | None = None
    deviation: float | None = None


class Summary(NamedTuple):
    """A table in few numbers."""

    rows: int
    columns: Mapping[str, Column]


def is_table(path: str) -> bool:
    """Tell whether a file is a table by its name."""
    from mlxkit.data.rows.read import format_of

    try:
        format_of(path)
    except UsageError:
        return False
    return True


class Summaries:
    """Summaries of tables by the md5 of their bytes, remembered in one file."""

    def __init__(self, root: str) -> None:
        self._path = cache_path(root, "tables.json")
        self._known: dict[str, Any] | None = None
        self._new = False

    def knows(self, md5: str, name: str) -> bool:
        """Tell whether a table need not be read."""
        return self._key(md5, name) in self._all()

    def of(self, md5: str, source: Source) -> Summary:
        """Return a table's summary; raises MlxError for what cannot be read."""
        key, known = self._key(md5, source.name), self._all()
        if key not in known:
            summary = _summarize(source)
            columns = {name: list(one) for name, one in summary.columns.items()}
            known[key] = [summary.rows, columns]
            self._new = True
        rows, told = known[key]
        return Summary(rows, {name: Column(*one) for name, one in told.items()})

    def save(self) -> None:
        """Remember what was read; failing to is no error."""
        if self._new:
            remember(self._path, self._all(), newest=_KEPT)

    def _all(self) -> dict[str, Any]:
        if self._known is None:
            self._known = recall(self._path)
        return self._known

    @staticmethod
    def _key(md5: str, name: str) -> str:
        ending = os.path.basename(name).partition(".")[2]
        return md5_bytes(f"{_FORMAT} {md5} {ending}".encode("utf-8", "surrogateescape"))


def shifts(old: Summary, new: Summary) -> list[Shift]:
    """Return the columns that came, went, or shifted, those that did most first."""
    found: list[tuple[float, Shift]] = []
    for name in dict.fromkeys([*new.columns, *old.columns]):
        before, after = old.columns.get(name), new.columns.get(name)
        if before is None or after is None:
            found.append((math.inf, Shift(name, "new column" if before is None else "gone")))
        elif before.kind != after.kind:
            found.append((math.inf, Shift(name, f"type {before.kind} → {after.kind}")))
        else:
            size, told = _shifted(before, after)
            if size >= _LEAST:
                found.append((size, Shift(name, told)))
    found.sort(key=lambda pair: -pair[0])
    return [one for _, one in found[:_MOST]]


def _shifted(before: Column, after: Column) -> tuple[float, str]:
    nulls = abs(after.nulls - before.nulls)
    told = f"without value {before.nulls:.1%} → {after.nulls:.1%}"
    if before.mean is None or after.mean is None:
        return nulls, told
    spread = before.deviation or after.deviation or 0.0
    moved = abs(after.mean - before.mean) / spread if spread else 0.0
    if moved < nulls:
        return nulls, told
    sign = "+" if after.mean > before.mean else "-"
    means = f"{number(before.mean, 5)} → {number(after.mean, 5)}"
    return moved, f"mean {means} ({sign}{moved:.2f} σ)"


def _summarize(source: Source) -> Summary:
    from mlxkit.data.rows.compare import connected, label
    from mlxkit.data.rows.read import read

    with connected((source,)) as (con, (linked,)):
        table = read(con, "raw", linked)
        row = _figures(con, table.columns, source)
    rows, values = int(row[0]), iter(row[1:])
    columns = {}
    for one in table.columns:
        count, mean, deviation = next(values), next(values), next(values)
        nulls = 1 - count / rows if rows else 0.0
        columns[one.name] = Column(label(one.type), nulls, _finite(mean), _finite(deviation))
    return Summary(rows, columns)


def _figures(
    con: "DuckDBPyConnection", columns: "Sequence[ReadColumn]", source: Source
) -> Sequence[Any]:
    """Return the number of rows, then of each column values, mean and deviation."""
    import duckdb

    for spread in ("stddev_pop({0})", "NULL"):  # of huge numbers the squares are too large
        asked = ["count(*)"]
        for one in columns:
            asked += [f"count({one.id})", *_moments(one, spread)]
        try:
            return one_row(con, "raw", asked)
        except duckdb.OutOfRangeException:
            continue
        except duckdb.Error as error:
            why = str(error).splitlines()[0].replace(source.path, source.name)
            raise MlxError(f"{source.label} cannot be summed up: {why}") from None
    raise MlxError(f"{source.label} has numbers that are too large to be summed up")


def _moments(column: "ReadColumn", spread: str) -> list[str]:
    if column.type.partition("(")[0] not in _NUMBERS:
        return ["NULL", "NULL"]
    number = f"TRY_CAST({column.id} AS DOUBLE)"
    finite = f"FILTER (WHERE isfinite({number}))"
    told = spread.format(number)
    return [f"avg({number}) {finite}", f"{told} {finite}" if told != "NULL" else told]


def _finite(value: Any) -> float | None:
    return value if isinstance(value, float) and math.isfinite(value) else None

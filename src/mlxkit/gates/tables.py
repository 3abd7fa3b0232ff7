"""Recorded tables as DuckDB sees them, each column in its own type; what is not there is Unjudged.

NaN counts as null everywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from mlxkit.core.errors import MlxError, UsageError
from mlxkit.data.rows.compare import connected, label
from mlxkit.data.rows.kinds import EMPTY
from mlxkit.data.rows.read import ReadColumn, format_of, parquet_scan, read
from mlxkit.data.rows.source import Source, one_row
from mlxkit.gates.context import Subject
from mlxkit.gates.verdict import Unjudged

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FLOATS = ("FLOAT", "DOUBLE")
_NUMBERS = (
    *_FLOATS,
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "DECIMAL"),
)
_NAMED = 8
_LONGEST = 60
_LONG = 200


class Table(NamedTuple):
    """A table that can be asked in SQL as `view`, with its columns under ids of ours."""

    con: "DuckDBPyConnection"
    view: str
    place: str
    columns: Mapping[str, ReadColumn]
    evidence: Mapping[str, str]

    def column(self, name: str) -> ReadColumn:
        """Return one of its columns; raises Unjudged."""
        if name not in self.columns:
            raise Unjudged(self.lacks(name), self.evidence)
        return self.columns[name]

    def lacks(self, name: str) -> str:
        """Say that there is no such column, and which there are."""
        return f"{self.place} has no column '{name}' ({_some(list(self.columns))})"

    def chosen(self, names: Sequence[str] | None, leave_out: Sequence[str]) -> list[ReadColumn]:
        """Return these columns, else all, without those left out; raises Unjudged."""
        for name in leave_out:
            self.column(name)
        wanted = [one for one in names or self.columns if one not in leave_out]
        if not wanted:
            raise self.unjudged("has no column that is not left out")
        return [self.column(one) for one in wanted]

    def row(self, cells: Sequence[str], *values: Any) -> Sequence[Any]:
        """Return one row of what these aggregates come to."""
        if not values:
            return one_row(self.con, self.view, cells)
        found = self.con.execute(f"SELECT {', '.join(cells)} FROM {self.view}", list(values))
        return found.fetchone() or ()

    def rows(self) -> int:
        """Count the rows; raises Unjudged where there are none: nothing can be said of those."""
        count = int(self.row(["count(*)"])[0])
        if not count:
            raise self.unjudged("has no rows")
        return count

    def unjudged(self, what: str) -> Unjudged:
        """Return the error for what is wrong with this table."""
        return Unjudged(f"{self.place} {what}", self.evidence)


@contextmanager
def opened(*asked: tuple[Subject, str]) -> Iterator[list[Table]]:
    """Open recorded tables of revisions.

    Raises Unjudged for what is not there or cannot be read, MlxError where data are not here.
    """
    sources, evidence = [], []
    for subject, path in asked:
        data = subject.data(path)
        proof = {subject.key(path): data.md5}
        if data.is_dir:
            raise Unjudged(f"{subject.place(path)} is a folder: name a table in it", proof)
        try:
            format_of(path)
        except UsageError as error:
            raise Unjudged(f"{error.message}: {error.hint}", proof) from None
        sources.append(Source(data.path, path, subject.place(path)))
        evidence.append(proof)
    duckdb = _duckdb()
    with connected(sources) as (con, links):
        try:
            yield [
                _open(con, f"t{at}", link, proof)
                for at, (link, proof) in enumerate(zip(links, evidence, strict=True))
            ]
        except duckdb.OutOfMemoryException as error:
            raise MlxError(
                f"a rule about tables needs more memory than there is: {error}"
            ) from None
        except duckdb.Error as error:
            places = " or ".join(dict.fromkeys(one.label for one in sources))
            why = str(error).strip().partition("\n")[0][:_LONG]
            for one in links:  # names of the moment: the same verdict has the same words
                why = why.replace(one.path, one.name)
            proofs = {key: md5 for one in evidence for key, md5 in one.items()}
            raise Unjudged(f"{places} cannot be read: {why}", proofs) from None


def is_number(one: ReadColumn) -> bool:
    """Tell whether a column holds numbers."""
    return one.type.partition("(")[0] in _NUMBERS


def shown_type(one: ReadColumn) -> str:
    """Return what people call the type of a column."""
    return label(one.type)


def null(one: ReadColumn) -> str:
    """Return SQL that tells whether a cell is empty."""
    return f"({one.id} IS NULL OR isnan({one.id}))" if one.type in _FLOATS else f"{one.id} IS NULL"


def comparable(one: ReadColumn) -> str:
    """Return SQL of a cell to compare: NaN is null, and no two spellings of one number differ."""
    return f"CASE WHEN isnan({one.id}) THEN NULL ELSE {one.id} END" if (
        one.type in _FLOATS
    ) else one.id  # fmt: skip


def equals(one: ReadColumn, wanted: Any) -> tuple[str, Any]:
    """Return SQL, with one parameter, that tells whether a cell is a value of `mlx.yaml`."""
    if one.type == "BOOLEAN" and not isinstance(wanted, str):
        return f"CAST({one.id} AS INTEGER) = CAST(? AS DOUBLE)", float(wanted)
    if isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
        # A number is never a text that looks like it.
        return (f"CAST({one.id} AS DOUBLE) = ?" if is_number(one) else "(? IS NULL)"), float(wanted)
    if isinstance(wanted, bool) and is_number(one):
        return f"CAST({one.id} AS DOUBLE) = ?", float(wanted)
    text = str(wanted).lower() if isinstance(wanted, bool) else wanted
    cell = f"CAST({one.id} AS VARCHAR)"
    return f"{f'lower({cell})' if isinstance(wanted, bool) else cell} = ?", text


def _open(
    con: "DuckDBPyConnection", name: str, source: Source, evidence: Mapping[str, str]
) -> Table:
    """Make a view of a file; Parquet is read as far as it is asked for only."""
    if format_of(source.name)[0] == "parquet":
        try:
            scan, columns = parquet_scan(con, source)
        except MlxError as error:
            raise Unjudged(error.message, evidence) from None
        con.execute(f"CREATE VIEW {name} AS {scan}")
    else:
        try:
            table = read(con, f"{name}_raw", source)
        except MlxError as error:
            import duckdb

            if isinstance(error.__cause__, duckdb.OutOfMemoryException):
                raise
            raise Unjudged(error.message, evidence) from None
        columns = table.columns
        cells = [f"CAST({one.id} AS {_sql(one.type)}) AS {one.id}" for one in columns]
        con.execute(f"CREATE VIEW {name} AS SELECT {', '.join(cells) or '*'} FROM {table.table}")
    return Table(con, name, source.label, {one.name: one for one in columns}, evidence)


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        raise MlxError(
            "this gate has a rule about tables, which needs duckdb",
            hint="run: pip install 'mlxkit[gates]'",
        ) from None
    return duckdb


def _sql(sql_type: str) -> str:
    return "VARCHAR" if sql_type == EMPTY else sql_type


def _some(names: Sequence[str]) -> str:
    more = ", ..." if len(names) > _NAMED else ""
    told = ", ".join(name[:_LONGEST] for name in names[:_NAMED])
    return f"it has {told}{more}" if names else "it has none"

"""A table against a schema of pandera: all that does not fit, by column."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd
import pandera.pandas as pa
import pyarrow.parquet as pq

from mlxkit.core.errors import UsageError
from mlxkit.data.rows.read import format_of
from mlxkit.gates.context import Data
from mlxkit.gates.schema_file import first_line
from mlxkit.gates.verdict import Unjudged

_ROWS = 3
_LONGEST = 80
_MEANINGS = {
    "column_in_dataframe": "there is no column",
    "column_in_schema": "the schema has no column",
}


class Failure(NamedTuple):
    """What does not fit: in a column, by a check, how often, and the first rows."""

    column: str
    why: str
    times: int


def read_frame(data: Data, path: str) -> pd.DataFrame:
    """Read a table of at least one row; raises Unjudged."""
    if data.is_dir:
        raise Unjudged(f"{path} is a folder: name a table in it")
    try:
        kind, packed = format_of(path)
        frame = _read(data.path, kind, {"none": None}.get(packed, packed))
    except UsageError as error:
        raise Unjudged(f"{error.message}: {error.hint}") from None
    except (OSError, ValueError, NotImplementedError, UnicodeError) as error:
        raise Unjudged(f"{path} cannot be read: {first_line(error)}") from None
    if not len(frame):
        raise Unjudged(f"{path} has no rows")
    return frame


def validate(schema: Any, frame: pd.DataFrame) -> list[Failure]:
    """Return all that does not fit, by column; raises Unjudged where that cannot be found out."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        return list(_failures(error.failure_cases))
    except Exception as error:  # a check on values that it is not made for
        raise Unjudged(f"the schema cannot be applied: {first_line(error)}") from None
    return []


def _failures(cases: Any) -> Iterator[Failure]:
    for (column, name), some in cases.groupby(["column", "check"], dropna=False, sort=True):
        rows = [int(one) for one in some["index"].dropna()]
        column_name = "" if pd.isna(column) else str(column)
        values = ", ".join(repr(one)[:_LONGEST] for one in some["failure_case"].head(_ROWS))
        said = _of_rows(str(name), rows, values) if rows else _of_column(str(name), values)
        yield Failure(column_name, f"{column_name}: {said}" if column_name else said, len(rows))


def _of_rows(name: str, rows: Sequence[int], values: str) -> str:
    first = ", ".join(map(str, rows[:_ROWS])) + (", ..." if len(rows) > _ROWS else "")
    number = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
    return f"{name} fails in {number} ({values}; row {first})"


def _of_column(name: str, values: str) -> str:
    if name.startswith("dtype("):
        return f"it is of type {values}, not {name[6:-1]}"
    words = _MEANINGS.get(name)
    return f"{words} {values}" if words else f"{name} ({values})"


def _read(path: str, kind: str, packed: str | None) -> pd.DataFrame:
    if kind == "parquet":
        frame: pd.DataFrame = pq.ParquetFile(path).read().to_pandas()
        return frame
    compression: Any = packed
    if kind == "jsonl":
        # A text of digits stays a text: or it would pass for the number that the schema wants.
        return pd.read_json(path, lines=True, dtype=False, compression=compression)
    return pd.read_csv(path, sep="\t" if kind == "tsv" else ",", compression=compression)

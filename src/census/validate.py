"""Stage `validate@<split>`: refuse a split that is not what the pipeline was made for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from census.columns import (
    ANSWERS,
    COLUMNS,
    INTEGER,
    LABEL,
    NEGATIVE,
    POSITIVE,
    ROW,
    TEXT,
    WEIGHT,
    YEAR,
)
from census.files import read_params, read_table, write_json

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

KNOWN: dict[str, tuple[str, ...]] = {
    LABEL: (NEGATIVE, POSITIVE),
    "sex": ("Female", "Male"),
    "race": (
        "Amer Indian Aleut or Eskimo",
        "Asian or Pacific Islander",
        "Black",
        "Other",
        "White",
    ),
}
"""Columns whose values decide labels and slices, and the only values they may have."""


def schema(years: list[int]) -> DataFrameSchema:
    """The columns in order, their types, ranges and known values, for rows of these years."""
    from pandera.pandas import Check, Column, DataFrameSchema

    columns = {name: Column(str, Check.str_length(min_value=1)) for name in TEXT}
    columns |= {name: Column(str, Check.isin(values)) for name, values in KNOWN.items()}
    columns |= {name: Column("int32", Check.in_range(*span)) for name, span in INTEGER.items()}
    columns |= {
        YEAR: Column("int32", Check.isin(years)),
        WEIGHT: Column(float, Check.gt(0)),
        ROW: Column("int32", Check.ge(0), unique=True),
    }
    return DataFrameSchema({name: columns[name] for name in (*COLUMNS, ROW)}, strict=True)


def describe(frame: pd.DataFrame) -> dict[str, Any]:
    """Counts and shares (0 to 1) that say what a split holds."""
    unknown = (frame[list(TEXT)] == "?").mean()
    return {
        "rows": len(frame),
        "positive_share": float((frame[LABEL] == POSITIVE).mean()),
        "under_15_share": float((frame["age"] < 15).mean()),
        "repeated_answers_share": float(frame.duplicated(list(ANSWERS)).mean()),
        "unknown_share": {name: float(share) for name, share in unknown.items() if share > 0},
    }


def outside(name: str, value: float, span: list[float]) -> list[str]:
    """One line if a value is outside its allowed span (both ends included), else none."""
    low, high = span
    return [] if low <= value <= high else [f"{name} is {value:g}, allowed {low:g} to {high:g}"]


def problems(frame: pd.DataFrame, params: dict[str, Any], name: str) -> list[str]:
    """Everything wrong with a split, one line each; empty when it may be used."""
    from pandera.errors import SchemaErrors

    found: list[str] = []
    try:
        schema(params["years"][name]).validate(frame, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases.groupby(["column", "check"], dropna=False).size()
        found += [f"{column}: {check}, {n} times" for (column, check), n in cases.items()]
    report = describe(frame)
    found += outside("rows", report["rows"], params["rows"][name])
    found += outside("positive share", report["positive_share"], params["positive_share"])
    return found


def main(name: str) -> None:
    """Check one split; write its description, or end with exit code 1 and every problem."""
    frame = read_table(f"data/split/{name}.parquet")
    if found := problems(frame, read_params("validate"), name):
        sys.exit("\n".join([f"data/split/{name}.parquet does not pass:", *found]))
    write_json(describe(frame), f"metrics/data/{name}.json")


if __name__ == "__main__":
    main(sys.argv[1])

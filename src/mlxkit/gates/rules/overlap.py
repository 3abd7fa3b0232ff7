"""`overlap: {train, test, columns, max}`: rows of the test data that were learnt from."""

from collections.abc import Mapping
from typing import Any

from mlxkit.data.rows.compare import unified
from mlxkit.data.rows.read import ReadColumn
from mlxkit.gates.context import Context
from mlxkit.gates.tables import Table, comparable, opened
from mlxkit.gates.verdict import Verdict, Word, shown


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Hold the share of the test's rows that the training data has; raises Unjudged, MlxError."""
    asked = [(context.subject, settings[one]) for one in ("train", "test")]
    with opened(*asked) as (train, test):
        train.rows()
        rows = test.rows()
        (count,) = test.con.execute(_shared(train, test, settings)).fetchone() or (0,)
    share, most = count / rows, settings["max"]
    why = (
        f"{count} of {rows} rows of {test.place} are in {train.place} ({shown(share)}), "
        f"maximum {shown(most)}"
    )
    evidence = {**train.evidence, **test.evidence}
    word: Word = "pass" if share <= most else "fail"
    return [Verdict("overlap", word, why, "overlap", share, most, evidence=evidence)]


def _shared(train: Table, test: Table, settings: Mapping[str, Any]) -> str:
    """Return SQL that counts the shared rows; raises Unjudged where the columns are not alike."""
    ours = test.chosen(settings["columns"], settings["leave_out"])
    theirs = train.chosen(settings["columns"], settings["leave_out"])
    for one in theirs:
        test.column(one.name)
    pairs = [(train.column(one.name), one) for one in ours]
    a, b = (
        ", ".join(f"CAST({comparable(pair[side])} AS {_kind(pair)}) AS v{at}"
                  for at, pair in enumerate(pairs))
        for side in (0, 1)
    )  # fmt: skip
    same = " AND ".join(f"a.v{at} IS NOT DISTINCT FROM b.v{at}" for at in range(len(pairs)))
    found = f"SELECT 1 FROM (SELECT {a} FROM {train.view}) a WHERE {same}"
    return f"SELECT count(*) FROM (SELECT {b} FROM {test.view}) b WHERE EXISTS ({found})"


def _kind(pair: tuple[ReadColumn, ReadColumn]) -> str:
    """Return the type to compare in: the shorter one of numbers that were rounded to it."""
    types = {one.type for one in pair}
    return "FLOAT" if types == {"FLOAT", "DOUBLE"} else unified(pair[0].type, pair[1].type)

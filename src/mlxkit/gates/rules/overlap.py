"""`overlap: {train, test, columns, max}`: rows of the test data that were learnt from."""

from collections.abc import Mapping
from typing import Any

from mlxkit.data.rows.compare import unified
from mlxkit.gates.bench import Bench
from mlxkit.gates.tables import Table, opened
from mlxkit.gates.verdict import Verdict, Word, shown


def check(settings: Mapping[str, Any], bench: Bench) -> list[Verdict]:
    """Hold the share of the test's rows that the training data has; raises Unjudged, MlxError."""
    asked = [(bench.subject, settings[one]) for one in ("train", "test")]
    with opened(*asked) as (train, test):
        train.rows()
        rows = test.rows()
        (count,) = test.con.execute(_shared(train, test, settings)).fetchone() or (0,)
    share, most = count / rows, settings["max"]
    why = (
        f"{count} of {rows} rows of {test.place} are in {train.place} ({shown(share)}), "
        f"most {shown(most)}"
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
    same = []
    for one in ours:
        other = train.column(one.name)
        kind = unified(other.type, one.type)
        same.append(f"CAST(a.{other.id} AS {kind}) IS NOT DISTINCT FROM CAST(b.{one.id} AS {kind})")
    found = f"SELECT 1 FROM {train.view} a WHERE {' AND '.join(same)}"
    return f"SELECT count(*) FROM {test.view} b WHERE EXISTS ({found})"

# ruff: noqa: E501 (a case on each line)
"""`data` and `overlap`: each check's good and bad side, on all formats; what is not there fails."""

import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from mlxkit.gates.verdict import Verdict

from .tables import Folder, judge, write

FORMATS = ("t.parquet", "t.csv", "t.tsv", "t.jsonl")
FRAME = pd.DataFrame(
    {
        "age": [20, 30, 40, 50],
        "pay": [1.5, math.nan, 3.5, 1.5],
        "sex": ["f", "m", None, "f"],
        "y": [0, 1, 0, 0],
    }
)


def one(rule: str, here: Folder) -> Verdict:
    (found,) = judge(rule, here)
    return found


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("rule", "word", "why"),
    [
        ("rows: {min: 4, max: 4}", "pass", "{} has 4 rows, minimum 4, maximum 4"),
        ("rows: {min: 5}", "fail", "{} has 4 rows, minimum 5"),
        ("rows: {max: 3}", "fail", "{} has 4 rows, maximum 3"),
        ("nulls: {age: 0}", "pass", "age is empty in 0 of 4 rows (0), maximum 0"),
        ("nulls: {pay: 0.25}", "pass", "pay is empty in 1 of 4 rows (0.25), maximum 0.25"),
        ("nulls: {pay: 0.2}", "fail", "pay is empty in 1 of 4 rows (0.25), maximum 0.2"),
        ("nulls: {sex: 0}", "fail", "sex is empty in 1 of 4 rows (0.25), maximum 0"),
        ("nulls: {'*': 0.25}", "pass", "none of 4 columns is empty in more than 1 of 4 rows (0.25), maximum 0.25"),
        ("nulls: {height: 1}", "fail", "{} has no column 'height' (it has age, pay, sex, y)"),
        ("ranges: {age: {min: 20, max: 50}}", "pass", "age is from 20 to 50, minimum 20, maximum 50"),
        ("ranges: {pay: {max: 3.5}}", "pass", "pay is from 1.5 to 3.5, maximum 3.5"),
        ("ranges: {age: {min: 21}}", "fail", "1 value of age is below 21, the lowest 20"),
        (
            "ranges: {age: {min: 21, max: 31}}",
            "fail",
            "1 value of age is below 21, the lowest 20; 2 values of age are above 31, the highest 50",
        ),
        ("ranges: {sex: {min: 0}}", "fail", "{} has no numbers in sex: it is text"),
        ("ranges: {height: {min: 0}}", "fail", "{} has no column 'height' (it has age, pay, sex, y)"),
        ("label: {column: y, share: {min: 0.25, max: 0.25}}", "pass", "1 of 4 rows have y = 1 (0.25), minimum 0.25, maximum 0.25"),
        ("label: {column: y, value: 0, share: {max: 0.7}}", "fail", "3 of 4 rows have y = 0 (0.75), maximum 0.7"),
        ("label: {column: y, value: 7, share: {max: 1}}", "fail", "{} has no row with y = 7"),
        ("label: {column: y, value: '1', share: {max: 1}}", "pass", "1 of 4 rows have y = '1' (0.25), maximum 1"),
        ("label: {column: sex, value: 0, share: {max: 1}}", "fail", "{} has 1 rows without sex: allow them with nulls, or leave them out"),
        ("duplicates: {columns: [y]}", "fail", "2 of 4 rows repeat an earlier one (0.5), maximum 0"),
        ("duplicates: {columns: [pay, y], max: 0.25}", "pass", "1 of 4 rows repeat an earlier one (0.25), maximum 0.25"),
        ("duplicates: {leave_out: [age]}", "fail", "1 of 4 rows repeat an earlier one (0.25), maximum 0"),
        ("duplicates: {}", "pass", "0 of 4 rows repeat an earlier one (0), maximum 0"),
        ("duplicates: {leave_out: [aeg]}", "fail", "{} has no column 'aeg' (it has age, pay, sex, y)"),
        ("duplicates: {leave_out: [age, pay, sex, y]}", "fail", "{} has no column that is not left out"),
    ],
)  # fmt: skip
def test_each_check(rule: str, word: str, why: str, name: str, tmp_path: Path) -> None:
    write(FRAME, tmp_path / name)
    found = one(f"data: {{path: {name}, {rule}}}", Folder(tmp_path))
    assert (found.verdict, found.why) == (word, why.replace("{}", name))
    assert list(found.evidence) == [name]


def test_labels_that_are_missing_may_be_allowed(tmp_path: Path) -> None:
    write(FRAME, tmp_path / "t.csv")
    rule = "data: {path: t.csv, nulls: {sex: 0.3}, label: {column: sex, value: f, share: {max: 1}}}"
    nulls, label = judge(rule, Folder(tmp_path))
    assert (nulls.verdict, label.verdict) == ("pass", "pass")
    assert label.why.startswith("2 of 3 rows have sex = 'f'")


@pytest.mark.parametrize(
    ("column", "value", "share"),
    [
        ([True, False, False, False], "true", 0.25),
        ([True, False, False, False], "1", 0.25),
        ([1.0, 0.0, 1.0, 0.0], "1", 0.5),
        ([1.0, 0.0, 1.0, 0.0], "true", 0.5),
        (["1", "0", "x", "0"], "'1'", 0.25),
        (["True", "False", "False", "False"], "true", 0.25),
    ],
)
def test_labels_of_all_types(column: list[Any], value: str, share: float, tmp_path: Path) -> None:
    write(pd.DataFrame({"y": column}), tmp_path / "t.parquet")
    rule = f"data: {{path: t.parquet, label: {{column: y, value: {value}, share: {{max: 1}}}}}}"
    assert one(rule, Folder(tmp_path)).value == share


def test_a_number_is_no_text(tmp_path: Path) -> None:
    write(pd.DataFrame({"y": ["1", "0"]}), tmp_path / "t.parquet")
    rule = "data: {path: t.parquet, label: {column: y, value: 1, share: {max: 1}}}"
    assert one(rule, Folder(tmp_path)).why == "t.parquet has no row with y = 1"


@pytest.mark.parametrize("rule", ["rows: {min: 0}", "nulls: {a: 1}", "duplicates: {max: 1}"])
@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.tsv"])
def test_an_empty_table_fails(rule: str, name: str, tmp_path: Path) -> None:
    write(pd.DataFrame({"a": np.array([], dtype="int64")}), tmp_path / name)
    found = one(f"data: {{path: {name}, {rule}}}", Folder(tmp_path))
    assert (found.verdict, found.why) == ("fail", f"{name} has no rows")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("t.parquet", b"PAR1 not really", "t.parquet cannot be read"),
        ("t.csv", b"a,b\n1,2\n3\n", "t.csv cannot be read as csv"),
        ("t.csv", b"a,b\n\xff\xfe,2\n", "t.csv cannot be read as csv"),
        ("t.csv", b"", "t.csv has no rows"),
        ("t.jsonl", b"[1]\n", "t.jsonl has 1 lines that are no JSON objects"),
        ("t.jsonl", b"{}\n", "t.jsonl has no column"),
        ("t.txt", b"a\n1\n", "'t.txt' is no table by its name"),
        ("folder.csv/a", b"a\n1\n", "folder.csv is a folder: name a table in it"),
    ],
)
def test_what_is_no_table_fails(name: str, content: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    rule = f"data: {{path: '{name.partition('/')[0]}', nulls: {{'*': 1, a: 1}}}}"
    found = one(rule, Folder(tmp_path))
    assert found.verdict == "fail"
    assert found.why.startswith(why)


def test_a_star_in_the_name_of_a_file_is_no_pattern(tmp_path: Path) -> None:
    write(FRAME, tmp_path / "t*.csv")
    write(FRAME, tmp_path / "tx.csv")
    assert one("data: {path: 't*.csv', rows: {max: 4}}", Folder(tmp_path)).verdict == "pass"


def test_infinite_and_missing_values_are_in_no_range(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, math.inf], "b": [math.nan, math.nan], "c": [1.0, math.nan]})
    write(frame, tmp_path / "t.parquet")
    rule = "data: {path: t.parquet, ranges: {a: {min: 0}, b: {min: 0}, c: {min: 0}}}"
    assert [(each.verdict, each.why) for each in judge(rule, Folder(tmp_path))] == [
        ("fail", "t.parquet has 1 infinite values in a"),
        ("fail", "t.parquet has no value in b"),
        ("pass", "c is from 1 to 1, minimum 0"),
    ]


def test_names_that_would_be_sql(tmp_path: Path) -> None:
    odd = "a\"); DROP TABLE t0; --'"
    write(pd.DataFrame({odd: [1, 2], "*": [1.0, math.nan]}), tmp_path / "t.parquet")
    told = odd.replace("'", "''")
    rule = f"data: {{path: t.parquet, nulls: {{'{told}': 0, '*': 0.5}}, ranges: {{'{told}': {{max: 1}}}}}}"
    nulls, ranges = judge(rule, Folder(tmp_path))
    assert (nulls.verdict, nulls.value, ranges.verdict) == ("pass", 0.5, "fail")


CELLS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-3, 3), st.just(math.nan)),
        st.sampled_from(["a", "b", None]),
    ),
    min_size=1,
    max_size=30,
)


@examples(max_examples=15, deadline=None)
@given(CELLS)
def test_pandas_agrees(cells: list[tuple[Any, Any]]) -> None:
    with TemporaryDirectory() as folder:
        _agrees(cells, Path(folder))


def _agrees(cells: list[tuple[Any, Any]], folder: Path) -> None:
    frame = pd.DataFrame(cells, columns=["n", "t"]).astype({"n": "float64"})
    write(frame, folder / "t.parquet")
    here = Folder(folder)
    rule = "data: {path: t.parquet, nulls: {n: 0, t: 0}, duplicates: {}}"
    found = {each.what: each.value for each in judge(rule, here)}
    for name in ("n", "t"):
        share = frame[name].isna().mean()
        assert found.get(f"nulls of {name}", 0.0) == share
    assert found["duplicates"] == pytest.approx(frame.duplicated().mean(), abs=1e-15)
    more = pd.DataFrame({"n": [99.0], "t": ["z"]})
    test = pd.concat([frame.sample(frac=0.5, random_state=0), more], ignore_index=True)
    write(test, folder / "u.parquet")
    shared = one("overlap: {train: t.parquet, test: u.parquet}", here)
    assert shared.value == (len(test) - 1) / len(test)


@pytest.mark.parametrize(
    ("rule", "word", "share"),
    [
        ("leave_out: [row]", "fail", 0.5),
        ("leave_out: [row], max: 0.5", "pass", 0.5),
        ("columns: [a]", "fail", 1.0),
        ("columns: [row]", "pass", 0.0),
        ("max: 0", "pass", 0.0),
    ],
)
def test_overlap(rule: str, word: str, share: float, tmp_path: Path) -> None:
    train = pd.DataFrame({"row": [1, 2, 3], "a": [1.0, math.nan, 2.0], "b": ["x", None, "y"]})
    test = pd.DataFrame({"row": [8, 9], "a": [math.nan, 2.0], "b": [None, "z"]})
    write(train, tmp_path / "t.parquet")
    write(test[["b", "a", "row"]], tmp_path / "u.csv")
    found = one(f"overlap: {{train: t.parquet, test: u.csv, {rule}}}", Folder(tmp_path))
    assert (found.verdict, found.value) == (word, share)
    assert set(found.evidence) == {"t.parquet", "u.csv"}


def test_one_value_that_is_written_otherwise(tmp_path: Path) -> None:
    columns = {
        "nan": pa.array([0.1, math.nan]),
        "null": pa.array([0.1, None]),
        "short": pa.array([0.1, None], type=pa.float32()),
        "both": pa.array([None, math.nan]),
    }
    for name, column in columns.items():
        pq.write_table(pa.table({"a": column}), tmp_path / f"{name}.parquet")
    for train, test in (("nan", "null"), ("null", "nan"), ("short", "nan"), ("null", "short")):
        rule = f"overlap: {{train: {train}.parquet, test: {test}.parquet}}"
        assert one(rule, Folder(tmp_path)).value == 1
    assert one("data: {path: both.parquet, duplicates: {}}", Folder(tmp_path)).value == 0.5


def test_overlap_of_what_is_not_alike(tmp_path: Path) -> None:
    write(pd.DataFrame({"a": [1], "b": [1]}), tmp_path / "t.csv")
    write(pd.DataFrame({"a": [1]}), tmp_path / "u.csv")
    write(pd.DataFrame({"a": ["1", "x"]}), tmp_path / "w.csv")
    write(pd.DataFrame({"a": np.array([], dtype="int64")}), tmp_path / "e.csv")
    here = Folder(tmp_path)
    for train, test, why in (
        ("t.csv", "u.csv", "u.csv has no column 'b' (it has a)"),
        ("u.csv", "t.csv", "u.csv has no column 'b' (it has a)"),
        ("e.csv", "u.csv", "e.csv has no rows"),
        ("u.csv", "e.csv", "e.csv has no rows"),
        ("u.csv", "n.csv", "there is no n.csv"),
    ):
        found = one(f"overlap: {{train: {train}, test: {test}}}", here)
        assert (found.verdict, found.why) == ("fail", why)
    assert one("overlap: {train: u.csv, test: w.csv}", here).value == 0.5


def test_columns_that_differ_in_case_alone_are_two(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2], "l": [[1], [2]], "A": [3, None]})
    pq.write_table(table, tmp_path / "t.parquet")
    here = Folder(tmp_path)
    assert one("data: {path: t.parquet, nulls: {a: 0}}", here).verdict == "pass"
    found = one("data: {path: t.parquet, nulls: {A: 0}}", here)
    assert (found.verdict, found.why[:24]) == ("fail", "A is empty in 1 of 2 row")

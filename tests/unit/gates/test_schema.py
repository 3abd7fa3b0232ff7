"""`schema`: pandera's schemas; every failure named, nothing of the file run or passed over."""

from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest

from mlxkit.gates.verdict import Verdict

from .tables import Folder, judge, write

FRAME = pd.DataFrame({"age": [1, 2, 300, 4, 4], "sex": ["f", "m", "x", None, "f"]})
AGE = "columns:\n  age:\n    dtype: int64\n"


def check(
    schema: str, folder: Path, name: str = "t.csv", frame: pd.DataFrame = FRAME
) -> list[Verdict]:
    write(frame, folder / name)
    (folder / "s.yaml").write_text(schema)
    return judge(f"schema: {{path: {name}, schema: s.yaml}}", Folder(folder))


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl", "t.parquet"])
def test_a_schema_that_pandera_wrote(name: str, tmp_path: Path) -> None:
    pytest.importorskip("pandera")
    columns = {
        "age": pa.Column("int64", pa.Check.in_range(0, 90)),
        "sex": pa.Column(checks=pa.Check.isin(["f", "m"])),
    }
    text = pa.DataFrameSchema(columns, strict=True, unique=["age"]).to_yaml()
    found = check(text, tmp_path, name)
    assert {(one.verdict, one.what) for one in found} == {("fail", "age"), ("fail", "sex")}
    assert [one.why for one in found] == [
        f"{name}: age: in_range(0, 90) fails in 1 row (300; row 2)",
        f"{name}: age: multiple_fields_uniqueness fails in 2 rows (4, 4; row 3, 4)",
        f"{name}: sex: isin(['f', 'm']) fails in 1 row ('x'; row 2)",
        found[3].why,
    ]
    assert found[3].why.startswith(f"{name}: sex: not_nullable fails in 1 row")
    assert all(set(one.evidence) == {name, "s.yaml"} for one in found)
    (good,) = check(text, tmp_path, name, FRAME.iloc[:2])
    assert (good.verdict, good.why) == ("pass", f"{name} fits s.yaml")
    (empty,) = check(text, tmp_path, name, FRAME.iloc[:0])
    assert (empty.verdict, empty.why) == ("fail", f"{name} has no rows")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("columns:\n  height: {dtype: int64}\n", "t.csv: there is no column 'height'"),
        (AGE + "strict: true\n", "t.csv: the schema has no column 'sex'"),
        (
            "columns:\n  age: {dtype: float64}\n",
            "t.csv: age: it is of type 'int64', not 'float64'",
        ),
        (AGE + "    in_rnage: {min_value: 0}\n", "does not know of age: 'in_rnage'"),
        (AGE + "strcit: true\n", "a key that pandera does not know: 'strcit'"),
        (AGE + "in_range: {min_value: 0}\n", "a key that pandera does not know: 'in_range'"),
        (AGE + "drop_invalid_rows: true\n", "drop_invalid_rows, which would hide"),
        (AGE + "add_missing_columns: true\n", "add_missing_columns, which would hide"),
        (AGE + "    default: 0\n", "default of age, which would hide"),
        (
            AGE + "    gt: {value: 5, options: {raise_warning: true}}\n",
            "does not know of age: 'gt'",
        ),
        (AGE + "    greater_than: {value: 5, options: {raise_warning: true}}\n", "raise_warning"),
        (AGE + "    checks: [{options: {check_name: mro}}]\n", "does not know: 'mro'"),
        (AGE + "    checks: {from_builtin_check_name: {name: x}}\n", "does not know"),
        ("columns:\n  age: {dtype: nosuch}\n", "s.yaml is not valid"),
        ("columns:\n  age: 5\n", "has no mapping for age"),
        ("columns: {}\n", "names no columns"),
        ("[]", "names no columns"),
        ("", "names no columns"),
        ("a: [", "cannot be read"),
        ("columns: !!python/object/apply:os.system [exit]\n", "cannot be read"),
    ],
)
def test_what_is_wrong_fails(text: str, why: str, tmp_path: Path) -> None:
    (found,) = check(text, tmp_path)
    assert (found.verdict, why in found.why) == ("fail", True), found.why


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("x.parquet", b"PAR1", "x.parquet cannot be read"),
        ("x.csv", b"", "x.csv cannot be read: No columns"),
        ("x.csv", b"age\n\xff\n", "x.csv cannot be read"),
        ("x.jsonl", b"{", "x.jsonl cannot be read"),
        ("x.txt", b"", "'x.txt' is no table by its name"),
        ("x.csv/y", b"", "x.csv is a folder"),
    ],
)
def test_what_is_no_table_fails(name: str, content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(content)
    (tmp_path / "s.yaml").write_text(AGE)
    rule = f"schema: {{path: {name.partition('/')[0]}, schema: s.yaml}}"
    (found,) = judge(rule, Folder(tmp_path))
    assert (found.verdict, found.why.startswith(why)) == ("fail", True), found.why


def test_a_text_of_digits_is_no_number(tmp_path: Path) -> None:
    text = "columns:\n  age: {dtype: int64}\n  sex: {dtype: str}\n"
    frame = pd.DataFrame({"age": ["1", "2"], "sex": ["7", "8"]})
    (found,) = check(text, tmp_path, "t.jsonl", frame)
    assert (found.verdict, found.what) == ("fail", "age")


def test_many_failures_are_counted(tmp_path: Path) -> None:
    columns = "".join(f"  c{at}: {{dtype: int64}}\n" for at in range(30))
    frame = pd.DataFrame({f"c{at}": ["x"] for at in range(30)})
    found = check("columns:\n" + columns, tmp_path, frame=frame)
    assert len(found) == 21
    assert found[-1].why == "t.csv: 10 more failures of s.yaml"

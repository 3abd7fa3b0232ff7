"""Tables compared in SQL, against a slow and obvious comparison in Python."""

import csv
import gzip
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlxkit.core.errors import MlxError, UsageError
from mlxkit.data.rows.compare import diff_rows, unified
from mlxkit.data.rows.find import Place, on_disk, parse_place
from mlxkit.data.rows.read import format_of
from mlxkit.data.rows.report import Column, RowsDiff, document

Table = dict[str, list[str | None]]


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def compare(old: Path, new: Path, *key: str, limit: int = 10) -> RowsDiff:
    return diff_rows(on_disk(Place(str(old))), on_disk(Place(str(new))), key=key, limit=limit)


def texts(tmp_path: Path, old: str, new: str, *key: str, ending: str = ".csv") -> RowsDiff:
    one, other = tmp_path / f"old{ending}", tmp_path / f"new{ending}"
    return compare(write(one, old), write(other, new), *key)


def column(found: RowsDiff, name: str) -> Column:
    (one,) = (one for one in found.columns if one.name == name)
    return one


# The slow and obvious way


def kind_of(values: list[str | None]) -> str:
    """What the values are: whole numbers in their one spelling, numbers, or text."""
    known = [one for one in values if one is not None]
    if not known:
        return "empty"
    if all(_is_whole(one) for one in known):
        return "int64"
    if all(_is_number(one) for one in known):
        return "float64"
    return "text"


def _is_whole(text: str) -> bool:
    try:
        return str(int(text)) == text and -(2**63) <= int(text) < 2**63
    except ValueError:
        return False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return _is_whole(text) or text == "-0" or bool(set(".eEnN") & set(text))


def value_of(text: str | None, kind: str) -> Any:
    if text is None or kind == "text":
        return text
    if kind == "int64":
        return int(text)
    number = float(text)
    return "NaN" if math.isnan(number) else number


def shared_kind(one: str, other: str) -> str:
    if "empty" in (one, other):
        return other if one == "empty" else one
    if one == other:
        return one
    return "float64" if {one, other} <= {"int64", "float64"} else "text"


def slowly(old: Table, new: Table, key: list[str]) -> dict[str, Any]:
    shared = [name for name in old if name in new]
    kinds = {name: shared_kind(kind_of(old[name]), kind_of(new[name])) for name in shared}

    def rows(table: Table) -> list[tuple[Any, ...]]:
        columns = [[value_of(one, kinds[name]) for one in table[name]] for name in shared]
        return list(zip(*columns, strict=True))

    before, after = rows(old), rows(new)
    if not key:
        one, other = Counter(before), Counter(after)
        return {"added": (other - one).total(), "removed": (one - other).total(), "changed": None}
    places = [shared.index(name) for name in key]
    left, right = (
        {tuple(row[at] for at in places): row for row in side} for side in (before, after)
    )
    if len(left) < len(before) or len(right) < len(after):
        return {"error": True}
    both = [(left[one], right[one]) for one in left if one in right]
    return {
        "added": len(right.keys() - left.keys()),
        "removed": len(left.keys() - right.keys()),
        "changed": sum(one != other for one, other in both),
        "cells": {
            name: sum(one[at] != other[at] for one, other in both)
            for at, name in enumerate(shared)
            if name not in key
        },
    }


NAMES = ['a"b', "select 1; --", "ä 日本", "a,b", "x", "X", " pad", "new\nline", "c0", "here"]
CELLS = [
    None, "", "0", "1", "2", "-1", "-0", "007", "1.0", "1.50", "2e3", "nan", "inf", "-inf",
    "9007199254740993", "9223372036854775808", "12345678901234567890123", "true", "ä", "日本",
    "a,b", 'q"q', "two\nlines", "NULL", "'; drop table old; --", " 1", "+1", "1_000",
]  # fmt: skip
NUMBERS = ["0", "1", "2", "3", "-1", "1.5"]


@st.composite
def tables(draw: st.DrawFn) -> tuple[Table, Table, list[str]]:
    """Two tables that share most columns and many values, and a key or none."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    pools = {
        name: draw(st.sampled_from([CELLS, NUMBERS, CELLS[:4], ["1", None]])) for name in names
    }
    made = []
    for _ in range(2):
        mine = [name for name in names if name == names[0] or draw(st.integers(0, 9)) > 0]
        height = draw(st.integers(0, 6))
        made.append(
            {
                name: draw(st.lists(st.sampled_from(pools[name]), min_size=height, max_size=height))
                for name in draw(st.permutations(mine))
            }
        )
    shared = [name for name in made[0] if name in made[1]]
    key = draw(st.sampled_from([[], [names[0]], shared]))
    return made[0], made[1], key


def as_csv(path: Path, table: Table, line_end: str) -> Path:
    """Write a table; nothing and an empty text are the same in a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        quoting = csv.QUOTE_ALL if len(table) == 1 else csv.QUOTE_MINIMAL
        writer = csv.writer(file, quoting=quoting, lineterminator=line_end)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return path


def as_lines(path: Path, table: Table) -> Path:
    """Write a table as JSON Lines, all values texts."""
    rows = zip(*table.values(), strict=True)
    lines = [json.dumps(dict(zip(table, row, strict=True)), ensure_ascii=False) for row in rows]
    return write(path, "".join(f"{line}\n" for line in lines))


def checked(old: Path, new: Path, key: list[str], expected: dict[str, Any]) -> RowsDiff | None:
    try:
        found = compare(old, new, *key)
    except UsageError as error:
        assert expected.get("error"), error
        return None
    assert "error" not in expected
    assert (found.added, found.removed) == (expected["added"], expected["removed"])
    assert found.changed == expected["changed"]
    assert len(found.changed_rows) == min(10, found.changed or 0)
    if key:
        assert {one.name: one.changed for one in found.columns if one.changed is not None} == (
            expected["cells"]
        )
        for row in found.changed_rows:
            assert row.cells
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["\n", "\r\n"]))
def test_csv_like_the_obvious_way(
    tmp_path_factory: pytest.TempPathFactory,
    made: tuple[Table, Table, list[str]],
    old_end: str,
    new_end: str,
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    old, new = (
        {name: [one or None for one in cells] for name, cells in side.items()} for side in made[:2]
    )
    expected = slowly(old, new, made[2])
    files = as_csv(folder / "a.csv", old, old_end), as_csv(folder / "b.csv", new, new_end)
    found = checked(*files, made[2], expected)
    if found is not None:
        for one in found.columns:
            assert one.old_type == (kind_of(old[one.name]) if one.name in old else None)
            assert one.new_type == (kind_of(new[one.name]) if one.name in new else None)
            if one.old is not None:
                cells = old[one.name]
                assert one.old.nulls == cells.count(None)
                assert one.old.rows == len(cells)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_lines_like_the_obvious_way(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[Table, Table, list[str]]
) -> None:
    """Texts stay texts here, an empty one is not nothing; a table without rows has no columns."""
    folder = tmp_path_factory.mktemp("lines")
    old, new, key = made
    if not all(next(iter(side.values())) for side in (old, new)):
        return

    def marked(side: Table) -> Table:
        return {n: [None if one is None else f"'{one}" for one in c] for n, c in side.items()}

    expected = slowly(marked(old), marked(new), key)
    checked(as_lines(folder / "a.jsonl", old), as_lines(folder / "b.jsonl", new), key, expected)


# By example


def test_what_is_shown(tmp_path: Path) -> None:
    found = texts(tmp_path, "id,x,y\n1,5,a\n2,6,b\n3,7,\n", "id,y,z\n3,c,1\n1,a,1\n4,d,1\n", "id")
    assert (found.added, found.removed, found.changed) == (1, 1, 1)
    assert {one.name: one.state for one in found.columns} == {
        "id": "same", "x": "removed", "y": "same", "z": "added",
    }  # fmt: skip
    assert found.changed_rows[0].key == {"id": 3}
    assert found.changed_rows[0].cells == {"y": (None, "c")}
    assert found.added_rows[0].values == {"id": 4, "y": "d", "z": 1}
    assert found.removed_rows[0].values == {"id": 2, "x": 6, "y": "b"}


def test_shifts(tmp_path: Path) -> None:
    numbers = "\n".join(str(n) for n in range(101))
    more = "\n".join(str(n * 2.0) for n in range(101))
    one = column(texts(tmp_path, f"n,t\n{_beside(numbers)}", f"n,t\n{_beside(more)}"), "n")
    assert one.old is not None and one.new is not None
    assert (one.old.mean, one.old.p5, one.old.p50, one.old.p95) == (50.0, 5.0, 50.0, 95.0)
    assert (one.new.mean, one.new.p50, one.new.distinct) == (100.0, 100.0, 101)
    assert one.old.std == pytest.approx(29.3001706)
    assert (one.old_type, one.new_type, one.state) == ("int64", "float64", "retyped")


def _beside(numbers: str) -> str:
    return "".join(f"{one},x\n" for one in numbers.splitlines())


def test_infinities_and_nan_do_not_spoil_the_mean(tmp_path: Path) -> None:
    found = texts(tmp_path, "n\n1\n3\nnan\ninf\n\n", "n\n1\n3\nnan\ninf\n\n")
    one = column(found, "n").old
    assert one is not None
    assert (one.mean, one.nan, one.nulls, one.rows) == (2.0, 1, 1, 5)
    assert not found.differs
    json.dumps(document(found), allow_nan=False)


def test_the_most_frequent_values_of_both_sides(tmp_path: Path) -> None:
    old, new = "t\n" + "a\n" * 5 + "b\n" * 3 + "c\nd\n", "t\n" + "d\n" * 6 + "a\n"
    one = column(texts(tmp_path, old, new), "t")
    assert one.old is not None and one.new is not None
    assert dict(one.old.top) == {"a": 5, "b": 3, "c": 1, "d": 1}
    assert dict(one.new.top) == {"d": 6, "a": 1, "b": 0, "c": 0}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("007", "7"), ("12345678901234567890123", "12345678901234567890124"),
        ("9007199254740993", "9007199254740992"), ("1e5", "100001"), ("", "0"), ("a", "A"),
        ("9223372036854775808", "9223372036854775809"), ("0.1", "0.10000000000000002"),
        ("\u00e9", "e\u0301"), ("a", "a "), ("true", "1"), ("2024-01-02", "2024-02-01"),
    ],
)  # fmt: skip
def test_not_the_same(old: str, new: str, tmp_path: Path) -> None:
    found = texts(tmp_path, f"id,x\n1,{old}\n2,0\n", f"id,x\n1,{new}\n2,0\n", "id")
    assert found.changed == 1


@pytest.mark.parametrize(
    ("old", "new"), [("1.50", "1.5"), ("1", "1.0"), ("nan", "NaN"), ("1e3", "1000"), ('""', "")]
)
def test_the_same(old: str, new: str, tmp_path: Path) -> None:
    found = texts(tmp_path, f"id,x\n1,{old}\n2,0.5\n", f"id,x\n1,{new}\n2,0.5\n", "id")
    assert found.changed == 0


def test_a_key_that_is_not_unique(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"not unique in .*new\.csv: 2 rows have k='1', j=null"):
        texts(tmp_path, "k,j\n1,\n", "k,j\n1,\n1,\n2,3\n", "k,j")
    found = texts(tmp_path, "k,j\n1,\n2,x\n", "k,j\n1,\n3,x\n", "k", "j")
    assert (found.added, found.removed, found.changed) == (1, 1, 0)


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'id' is not in both") as caught:
        texts(tmp_path, "a,b\n1,2\n", "a,id\n1,2\n", "id")
    assert caught.value.hint == "both have: a"


def test_a_column_with_a_comma_is_a_key(tmp_path: Path) -> None:
    assert texts(tmp_path, '"a,b",c\n1,2\n', '"a,b",c\n1,3\n', "a,b").changed == 1


@pytest.mark.parametrize(
    "text",
    ["", "a,b\n", "a\n\n", "\ufeffa,b\n1,2\n", "a,a\n1,2\n", "a,b\r\n1,2\r\n", 'a,"b\nc"\n1,2'],
)
def test_odd_files_equal_themselves(text: str, tmp_path: Path) -> None:
    found = texts(tmp_path, text, text)
    assert not found.differs
    assert not any(one.name.startswith("\ufeff") for one in found.columns)


def test_other_delimiters(tmp_path: Path) -> None:
    old, new = (
        write(tmp_path / "a.csv", "a;b\n1;2,5\n"),
        write(tmp_path / "b.tsv", "a\tb\n1\t2,5\n"),
    )
    assert not compare(old, new, "a").differs


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("x.csv", b"a,b\n1,2\n3\n", "Line: 3"),
        ("x.csv", b"a,b\n1,\xe9\n", "utf-8"),
        ("x.jsonl", b'{"a": 1}\n{"a": \n', "JSON"),
        ("x.jsonl", b'{"a": 1}\n[1]\n', "1 lines that are no JSON objects"),
        ("x.parquet", b"nothing", "x.parquet"),
        ("x.csv.gz", b"nothing", "x.csv.gz"),
        ("x.xlsx", b"", "no table by its name"),
    ],
)
def test_damaged_files(name: str, content: bytes, told: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(MlxError) as caught:
        compare(path, path)
    assert told.lower() in caught.value.message.lower()
    assert caught.value.hint


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_a_long_last_row_is_never_dropped(name: str, tmp_path: Path) -> None:
    """DuckDB's parallel reader passes over a last row of more than 32 MB without an error."""
    text = b"a,b\n1,2\n3," + b"x" * (34 << 20) + b"\n"
    path = write(tmp_path / name, gzip.compress(text, 1) if name.endswith(".gz") else text)
    with pytest.raises(MlxError, match=r"line: 3|Line: 3") as caught:
        compare(path, path)
    assert len(caught.value.message) < 800


def test_wide_tables(tmp_path: Path) -> None:
    """Time grows with the columns, not with their square; too many of them are refused."""
    names = ",".join(f"c{at}" for at in range(120))
    wide = write(tmp_path / "wide.csv", f"{names}\n{','.join(['1'] * 119 + ['x'])}\n")
    kinds = [one.new_type for one in compare(wide, wide).columns]
    assert kinds == ["int64"] * 119 + ["text"]
    too_wide = write(tmp_path / "too.csv", ",".join(map(str, range(10_001))) + "\n")
    with pytest.raises(MlxError, match="has 10001 columns: more than 10000 are not read"):
        compare(too_wide, too_wide)


def test_an_error_names_the_file_not_where_it_is_read(tmp_path: Path) -> None:
    """A verdict with the name of a temporary folder would be another one each time."""
    path = write(tmp_path / "t.jsonl", '{"a": 1}\n{"a": \n')
    told = set()
    for _ in range(2):
        with pytest.raises(MlxError) as caught:
            compare(path, path)
        told.add(caught.value.message)
    (message,) = told
    assert "mlx-rows-" not in message


def test_names_that_are_patterns_or_sql(tmp_path: Path) -> None:
    folder = tmp_path / "it's [x] *?"
    folder.mkdir()
    write(folder / "other.csv", "a\n9\n")
    old, new = write(folder / "*.csv", "a\n1\n"), write(folder / "';--.csv", "a\n1\n2\n")
    assert compare(old, new).added == 1


def test_compressed_and_parquet(tmp_path: Path) -> None:
    rows = "id,x,t\n1,0.5,a\n2,,b\n"
    plain = write(tmp_path / "a.csv", rows)
    packed = write(tmp_path / "b.csv.gz", gzip.compress(rows.encode()))
    con = duckdb.connect()
    con.execute(f"CREATE TABLE t AS SELECT * FROM read_csv('{plain}')")
    for name, how in (
        ("c.parquet", "FORMAT parquet"),
        ("d.csv.zst", "FORMAT csv, HEADER, COMPRESSION zstd"),
        ("e.jsonl.gz", "FORMAT json, COMPRESSION gzip"),
    ):
        con.execute(f"COPY t TO '{tmp_path / name}' ({how})")
    for other in ("b.csv.gz", "c.parquet", "d.csv.zst", "e.jsonl.gz"):
        found = compare(plain, tmp_path / other, "id")
        assert not found.differs, (other, found)
    assert not compare(packed, tmp_path / "d.csv.zst").differs


def test_types_of_parquet(tmp_path: Path) -> None:
    con = duckdb.connect()
    old, new = tmp_path / "a.parquet", tmp_path / "b.parquet"
    same = "[1, 2] AS l, {'a': 1} AS s, DATE '2024-01-01' AS d, 1.25::DECIMAL(9, 2) AS m"
    con.execute(f"COPY (SELECT 1::INTEGER AS id, 2::SMALLINT AS n, {same}) TO '{old}'")
    con.execute(f"COPY (SELECT 1::BIGINT AS id, 2::FLOAT AS n, {same}) TO '{new}'")
    found = compare(old, new, "id")
    assert (found.added, found.removed, found.changed) == (0, 0, 0)
    assert [one.name for one in found.columns if one.state == "retyped"] == ["id", "n"]
    json.dumps(document(found), allow_nan=False)
    other = tmp_path / "c.parquet"
    con.execute(f"COPY (SELECT 1 AS id, {same.replace('[1, 2]', '[1, 3]')}) TO '{other}'")
    assert compare(old, other, "id").changed_rows[0].cells == {"l": ("[1, 2]", "[1, 3]")}


def test_lines_with_other_keys_and_types(tmp_path: Path) -> None:
    old = '{"id": 1, "a/b~c": 1.0, "n": null}\n{"id": 2, "0": {"x": [1]}}\n'
    new = '{"a/b~c": "1.0", "id": 1}\n\n{"0": {"x": [2]}, "id": 2, "": true}\n'
    found = texts(tmp_path, old, new, "id", ending=".jsonl")
    assert {one.name: one.state for one in found.columns} == {
        "id": "same", "a/b~c": "retyped", "n": "removed", "0": "same", "": "added",
    }  # fmt: skip
    assert [dict(one.cells) for one in found.changed_rows] == [{"0": ('{"x":[1]}', '{"x":[2]}')}]


def test_limits(tmp_path: Path) -> None:
    old = write(tmp_path / "a.csv", "a\n" + "".join(f"{n}\n" for n in range(50)))
    new = write(tmp_path / "b.csv", "a\n" + "7\n" * 3)
    found = compare(old, new, limit=2)
    assert (found.added, found.removed, len(found.removed_rows)) == (2, 49, 2)
    assert found.added_rows[0].times == 2
    assert compare(old, new, limit=0).removed_rows == []


def test_unified() -> None:
    assert unified("INTEGER", "BIGINT") == "BIGINT"
    assert unified("UBIGINT", "BIGINT") == "HUGEINT"
    assert unified("DECIMAL(9,2)", "DOUBLE") == "DOUBLE"
    assert unified("EMPTY", "DATE") == "DATE"
    assert unified("EMPTY", "EMPTY") == unified("DATE", "BIGINT") == "VARCHAR"


def test_formats_and_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert format_of("x/A.CSV.GZ") == ("csv", "gzip")
    assert format_of("a.b.ndjson") == ("jsonl", "none")
    with pytest.raises(UsageError):
        format_of("a.parquet.gz")
    monkeypatch.chdir(tmp_path)
    assert parse_place("v1:a/b.csv") == Place("a/b.csv", "v1")
    write(tmp_path / "v1:b.csv", "")
    assert parse_place("v1:b.csv") == Place("v1:b.csv")


def test_large_tables_are_estimated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlxkit.data.rows.compare.EXACT_ROWS", 10)
    text = "n,t\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(1000))
    found = texts(tmp_path, text, text, "n")
    one = column(found, "n").old
    assert found.approximate and not found.differs
    assert one is not None and one.p50 is not None
    assert abs(one.p50 - 500) < 25 and abs(one.distinct - 1000) < 250


def test_more_data_than_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is put on the disk meanwhile."""
    rows = [f"{n},{n * 7919 % 100003},text number {n * 31 % 65537:>60}\n" for n in range(300_000)]
    old = write(tmp_path / "a.csv", "id,x,t\n" + "".join(rows))
    new = write(tmp_path / "b.csv", "id,x,t\n" + "".join(rows[5:]))
    memory = type("Memory", (), {"available": 2 * 100 << 20})
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    found = compare(old, new, "id")
    assert (found.added, found.removed, found.changed) == (0, 5, 0)
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("M", (), {"available": 2 << 20}))
    with pytest.raises(MlxError) as caught:
        compare(old, new, "id")
    assert "memory" in caught.value.message or "fit" in caught.value.message

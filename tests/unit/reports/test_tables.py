"""Tables in few numbers, read from real files and remembered."""

from pathlib import Path

import pytest

from mlxkit.core.errors import MlxError
from mlxkit.data.rows.source import Source
from mlxkit.reports.tables import Summaries, Summary, is_table


def summary(folder: Path, name: str, text: str) -> Summary:
    (folder / name).write_text(text)
    return Summaries(str(folder)).of(name, Source(str(folder / name), name, name))


def test_numbers_have_means_and_texts_have_none(tmp_path: Path) -> None:
    found = summary(tmp_path, "a.csv", "x,y,z\n1,a,\n3,b,5\n")
    assert found.rows == 2
    x, y, z = found.columns.values()
    assert (x.mean, x.deviation, x.nulls) == (2.0, 1.0, 0.0)
    assert (y.mean, y.deviation) == (None, None)
    assert (z.mean, z.nulls) == (5.0, 0.5)


def test_odd_tables_are_summed_up_as_far_as_they_go(tmp_path: Path) -> None:
    huge = summary(tmp_path, "huge.csv", "x\n1e308\n-1e308\n1e300\n")
    assert (huge.rows, huge.columns["x"].nulls) == (3, 0.0)
    nan = summary(tmp_path, "nan.jsonl", '{"x": 1.5}\n{"x": "NaN"}\n')
    assert nan.rows == 2
    empty = summary(tmp_path, "empty.csv", "x,y\n")
    assert (empty.rows, list(empty.columns)) == (0, ["x", "y"])


def test_what_is_no_table_is_an_error(tmp_path: Path) -> None:
    assert [is_table(one) for one in ("a/b.parquet", "c.csv.gz", "d.bin")] == [True, True, False]
    with pytest.raises(MlxError, match=r"b.parquet cannot be read as parquet"):
        summary(tmp_path, "b.parquet", "no parquet")


def test_a_table_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("x\n1\n")
    (tmp_path / ".mlx" / "cache").mkdir(parents=True)
    source = Source(str(file), "a.csv", "a.csv")
    first = Summaries(str(tmp_path))
    told = first.of("1" * 32, source)
    first.save()
    file.unlink()
    again = Summaries(str(tmp_path))
    assert again.knows("1" * 32, "sub/a.csv")
    assert again.of("1" * 32, source) == told
    (tmp_path / ".mlx" / "cache" / "tables.json").write_text('{"x": ')
    assert not Summaries(str(tmp_path)).knows("1" * 32, "a.csv")

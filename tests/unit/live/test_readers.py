"""Files in every state that a look can find them in."""

import math
import os
from pathlib import Path

import pytest

from mlxkit.live import document, table
from mlxkit.live.document import Document, Rows
from mlxkit.live.table import Table, number


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return tmp_path / "curve.csv"


def read(one: Table | Document | Rows) -> dict[str, tuple[object, tuple[float, ...]]]:
    """Look, and tell what is known: value and points by name."""
    one.look()
    return {name: (value, history.points()) for name, (value, history) in one.series().items()}


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(text)


def test_rows_as_they_come(csv: Path) -> None:
    csv.write_text("epoch,loss,acc\n")
    one = Table(str(csv))
    assert read(one) == {}
    append(csv, "0,1.5,0.1\n1,1.")
    assert read(one) == {"loss": (1.5, (1.5,)), "acc": (0.1, (0.1,))}
    append(csv, "25,0.2")
    assert read(one)["loss"] == (1.5, (1.5,)), "a line without its end is no line yet"
    append(csv, "\n")
    assert read(one) == {"loss": (1.25, (1.5, 1.25)), "acc": (0.2, (0.1, 0.2))}
    assert read(one)["loss"] == (1.25, (1.5, 1.25)), "nothing is read twice"


@pytest.mark.parametrize("header", ["", "epo", "epoch,loss"])
def test_a_header_that_is_not_whole(csv: Path, header: str) -> None:
    csv.write_text(header)
    one = Table(str(csv))
    assert read(one) == {}
    csv.write_text("epoch,loss\n0,1\n")
    assert read(one) == {"loss": (1.0, (1.0,))}


def test_line_ends_and_marks_of_other_systems(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_bytes(b"\xef\xbb\xbfstep\tloss\r\n0\t1\r\n1\t2\r\n")
    assert read(Table(str(path))) == {"loss": (2.0, (1.0, 2.0))}


def test_quotes_and_bad_cells(csv: Path) -> None:
    csv.write_text('step,"a,b",note,c\n0,"1",x,\n1,nan,y,inf\n2\n3,1,2,3,4\n4,2,"z,z",1e999\n')
    found = read(Table(str(csv)))
    assert found["a,b"][0] == 2.0
    assert math.isnan(found["a,b"][1][1])
    assert found["c"] == (math.inf, (math.inf, math.inf))
    assert "note" not in found


def test_bytes_that_are_no_text(csv: Path) -> None:
    csv.write_bytes(b"step,lo\xffss\n0,1\n\x00\x00,\xfe\n1,2\n")
    assert [value for value, _ in read(Table(str(csv))).values()] == [2.0]


def test_a_file_that_began_anew(csv: Path) -> None:
    csv.write_text("step,loss\n0,1\n1,2\n2,3\n")
    one = Table(str(csv))
    read(one)
    csv.write_text("step,loss\n0,9\n")
    assert read(one) == {"loss": (9.0, (9.0,))}


def test_a_file_that_was_replaced(csv: Path, tmp_path: Path) -> None:
    csv.write_text("step,loss\n0,1\n")
    one = Table(str(csv))
    read(one)
    other = tmp_path / "other"
    other.write_text("step,loss\n0,5\n1,6\n")
    os.replace(other, csv)
    assert read(one) == {"loss": (6.0, (5.0, 6.0))}


def test_a_file_that_was_written_again_and_is_longer(csv: Path) -> None:
    """As pandas does it at each epoch: same inode, no shorter, other numbers."""
    csv.write_text("step,loss\n0,1\n")
    one = Table(str(csv))
    read(one)
    csv.write_text("step,loss\n0,7\n1,8\n")
    assert read(one) == {"loss": (8.0, (7.0, 8.0))}
    csv.write_text("step,valid\n0,7\n1,8\n2,9\n")
    assert read(one) == {"valid": (9.0, (7.0, 8.0, 9.0))}


def test_a_large_file_is_read_from_its_end(csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "CHUNK", 100)
    csv.write_text("step,loss\n" + "".join(f"{n},{n}\n" for n in range(1000)))
    one = Table(str(csv))
    value, points = read(one)["loss"]
    assert value == 999
    assert points == tuple(map(float, range(1000 - len(points), 1000))) and 5 < len(points) < 20
    append(csv, "1000,5\n")
    assert read(one)["loss"][1][-2:] == (999, 5)


def test_a_line_without_end(csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "CHUNK", 100)
    one = Table(str(csv))
    csv.write_text("x" * 1000)
    assert read(one) == {}
    csv.write_text("step,loss\n0,1\n" + "2" * 1000)
    assert read(one) == {}
    append(csv, "\n2,2\n")
    assert read(one) == {"loss": (2.0, (2.0,))}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("trees,train,valid\n1,0.5,0.6\n2,0.4,0.5\n", {"train", "valid"}),
        ("k,train\n1,0.5\n2,0.4\n", {"train"}),
        (",train\n0,0.5\n1,0.4\n", {"train"}),
        ("recall,precision\n0.1,0.5\n0.2,0.4\n", set()),
        ("k,train\n1,0.5\n1,0.4\n", set()),
        ("slice,recall\nmen,0.5\nwomen,0.4\n", set()),
        ("loss,Step\n3,0\n1,1\n", {"loss"}),
        ("timestamp\tstep\tloss\n1\t2\t3\n", set()),
    ],
)
def test_which_tables_are_steps(csv: Path, text: str, names: set[str]) -> None:
    csv.write_text(text)
    assert set(read(Table(str(csv)))) == names


def test_a_metrics_file_that_changes(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    one = Document(str(path))
    path.write_text('{"loss": 2, "deep": {"x": 1.5, "list": [1]}, "who": "me"}')
    assert read(one) == {"loss": (2, (2.0,)), "deep.x": (1.5, (1.5,)), "who": ("me", ())}
    path.write_text('{"loss": 1, "deep"')
    assert read(one)["loss"] == (2, (2.0,)), "half of it is nothing new"
    path.write_text("")
    assert read(one)["loss"] == (2, (2.0,))
    path.write_text('{"loss": 1, "deep": {"x": NaN}, "who": "you", "flag": true}')
    found = read(one)
    assert found["loss"] == (1, (2.0, 1.0))
    assert math.isnan(found["deep.x"][1][1])
    assert found["who"] == ("you", ())
    assert found["flag"] == (True, ())
    assert len(read(one)["deep.x"][1]) == 2, "what says the same is no new point"


def test_a_step_that_goes_back(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    one = Document(str(path))
    for step, loss in ((0, 3), (1, 2), (0, 9)):
        path.write_text(f'{{"step": {step}, "loss": {loss}}}')
        found = read(one)
    assert found["loss"] == (9, (9.0,))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.yaml", "a: 1\nb:\n  c: .nan\n"),
        ("m.yml", "{a: 1, b: {c: .nan}}"),
        ("m.toml", "a = 1\n[b]\nc = nan\n"),
        ("M.JSON", '{"a": 1, "b": {"c": NaN}}'),
    ],
)
def test_forms_of_metrics_files(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    found = read(Document(str(path)))
    assert found["a"] == (1, (1.0,))
    assert math.isnan(found["b.c"][1][0])


@pytest.mark.parametrize(
    "text",
    [
        *("[1, 2]", "null", "3 4", "[" * 100_000, '{"a": ', "\x00", '{"a": [1]}', "{}"),
        '{"a": ' * 5000 + "1" + "}" * 5000,
        '{"a": 1' + "0" * 5000 + "}",
    ],
    ids=lambda text: text[:8],
)
@pytest.mark.parametrize("name", ["m.json", "m.yaml", "m.toml"])
def test_what_is_no_metrics_file(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert all(not isinstance(value, float) for value, _ in read(Document(str(path))).values())
    assert read(Rows(str(path))) == {}


def test_a_document_that_is_too_large_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text('{"a": 1, "b": "' + "x" * document.LARGEST + '"}')
    assert read(Document(str(path))) == {}


def test_rows_in_json(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    one = Rows(str(path))
    path.write_text('[{"step": 0, "loss": 2, "x": "a"}, {"step": 1, "loss": 1.5}]')
    assert read(one) == {"loss": (1.5, (2.0, 1.5))}
    path.write_text('{"train": [{"step": 0, "loss": "3"}, 5, {"step": 1}]}')
    assert read(one) == {"loss": (3.0, (3.0,))}
    path.write_text('[{"fpr": 0, "tpr": 0.1}]')
    assert read(one) == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((1, 1.0), ("1e3", 1000.0), (10**400, math.inf), (-(10**400), -math.inf)),
        *((True, None), (None, None), ("x", None), ("", None), ([1], None)),
    ],
    ids=lambda value: str(value)[:8],
)
def test_numbers(value: object, expected: float | None) -> None:
    assert number(value) == expected

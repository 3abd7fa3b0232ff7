"""Experiments as rows and columns."""

import math
from typing import Any

import pytest

from mlxkit.cli.exp_table import View, draw
from mlxkit.cli.exp_titles import short_titles
from mlxkit.core.errors import UsageError
from mlxkit.experiments.forms import Choice, as_csv
from mlxkit.experiments.naming import find_column, is_column
from mlxkit.experiments.table import (
    Column,
    best,
    by_column,
    columns,
    read,
    titles,
    varying,
)
from mlxkit.metrics.importance import Interest
from mlxkit.metrics.preferences import Preference

A, B = "a" * 40, "b" * 40


def _data(acc: Any, lr: Any, **more: Any) -> dict[str, Any]:
    metrics = {"m.json": {"data": {"acc": acc, **more}} if acc != "!" else {"error": {"msg": "x"}}}
    params = {"params.yaml": {"data": {"train": {"lr": lr}, "seed": 7}}}
    return {
        "timestamp": "2026-01-02T03:04:05",
        "params": params,
        "metrics": metrics,
        "deps": {"data.csv": {"hash": "0123456789", "size": 1, "nfiles": None}},
        "outs": {},
    }


def _experiment(name: str, rev: str, data: Any, state: str | None = None) -> dict[str, Any]:
    inner = {"rev": rev, "name": name, "data": data, "error": None, "experiments": None}
    if data is None:
        inner["error"] = {"msg": "no \x1b[31m file", "type": "E"}
    executor = {"state": state, "name": "dvc-task"} if state else None
    return {"revs": [inner], "executor": executor, "name": name}


def _document(*experiments: dict[str, Any]) -> list[dict[str, Any]]:
    base = {"rev": A, "name": "main", "data": _data(0.5, 0.1), "error": None}
    workspace = {**base, "rev": "workspace", "name": None, "experiments": None}
    return [workspace, {**base, "experiments": list(experiments)}]


DOCUMENT = _document(
    _experiment("one", B, _data(0.9, 0.2)),
    _experiment("two", "c" * 40, _data(0.7, "x")),
    _experiment("bad", "d" * 40, _data("!", 0.3)),
    _experiment("nan", "e" * 40, _data(math.nan, 0.3)),
)
ACC, LR, SEED = (
    Column("metrics", "m.json", "acc"),
    Column("params", "params.yaml", "train.lr"),
    Column("params", "params.yaml", "seed"),
)


def _names(group: Any) -> list[str]:
    return [row.name for row in group if row.kind == "experiment"]


def test_columns_and_their_titles() -> None:
    groups = read(DOCUMENT)
    every = columns(groups)
    assert every == [ACC, LR, SEED, Column("deps", "data.csv")]
    assert list(titles(every).values()) == ["acc", "train.lr", "seed", "data.csv"]
    assert varying([row for group in groups for row in group], every) == {ACC, LR}


def test_sorted_by_a_column_without_a_value_last() -> None:
    group = read(DOCUMENT)[1]
    assert _names(by_column(group, ACC, descending=True)) == ["one", "two", "bad", "nan"]
    assert _names(by_column(group, ACC, descending=False)) == ["two", "one", "bad", "nan"]
    assert _names(by_column(group, LR, descending=False)) == ["one", "bad", "nan", "two"]
    assert [row.is_last for row in by_column(group, ACC, descending=True)][-1]


@pytest.mark.parametrize(("better", "expected"), [("higher", 0.9), ("lower", 0.5), (None, None)])
def test_the_best_of_a_metric(better: str | None, expected: float | None) -> None:
    rows = [row for group in read(DOCUMENT) for row in group]
    assert best(rows, ACC, better) == expected
    assert best(rows, SEED, "higher") is None  # all the same


def test_names_of_columns() -> None:
    other = Column("metrics", "sub/m.json", "acc")
    every = [ACC, LR, other]
    assert find_column(every, "m.json:acc", "--x") == ACC
    assert find_column(every, "sub/m.json:acc", "--x") == other
    assert find_column(every, "lr", "--x") == find_column(every, "train.lr", "--x") == LR
    for name, said in (("acc", "several"), ("nothing", "no metric"), ("ltr", "no metric")):
        with pytest.raises(UsageError, match=said):
            find_column(every, name, "--x")
    assert is_column(every, "lr") and not is_column(every, "name")


def test_short_titles_tell_files_apart() -> None:
    first, second = (Column("metrics", f"m/{name}/t.json", "auc") for name in "ab")
    assert short_titles([first, second, LR]) == {
        first: ("a/t.json", "auc"), second: ("b/t.json", "auc"), LR: ("", "lr"),
    }  # fmt: skip
    assert short_titles([first])[first] == ("", "auc")
    assert short_titles([first], [first, second])[first] == ("a/t.json", "auc")
    assert short_titles([LR, Column("params", "params.yaml", "eval.lr")])[LR] == ("", "train.lr")


def _drawn(width: int | None = None, **view: Any) -> tuple[list[str], list[str]]:
    told = draw(read(DOCUMENT), View(width, preferences={"acc": Preference("higher")}, **view))
    return told.lines, told.notes


def test_drawn_with_what_varies() -> None:
    lines, notes = _drawn(80)
    assert lines[0].split() == ["experiment", "lr", "acc", "made", "commit"]
    assert [line.split()[0] for line in lines[1:]] == [
        "workspace",
        "main",
        "one",
        "two",
        "bad",
        "nan",
    ]
    assert "0.9*" in lines[3] and "!" in lines[5]
    assert notes == [
        "* the best of its metric", "columns left out: 1 constant   (--keep, --all, --csv)",
    ]  # fmt: skip


def test_drawn_in_any_width() -> None:
    for width in range(10, 80):
        lines, _ = _drawn(width)
        assert all(len(line) <= max(width, 19) for line in lines), (width, lines)
    assert _drawn(None, everything=True)[0][0].split()[1:5] == ["lr", "seed", "acc", "data.csv"]


def _wide(number: int) -> dict[str, Any]:
    """An experiment of a project with many metrics in files of the same names."""
    data = _data(0, number / 10)
    values = {"rows": 7, "zeta": number, "auc": number / 8, "loss": 1 / (1 + number)}
    slices = {f"group_{at}": {"auc": number / 9, "rows": 5} for at in range(9)}
    files = {"m/tree/test.json": values, "m/tree/slices.json": slices, "m/base/test.json": values}
    data["metrics"] = {path: {"data": told} for path, told in files.items()}
    return data


WIDE = read(
    [
        {"rev": A, "name": "main", "data": _wide(1), "error": None, "experiments": [
            _experiment("one", B, _wide(2)), _experiment("two", "c" * 40, _wide(3)),
        ]},
    ]
)  # fmt: skip


def test_what_was_varied_then_what_the_project_looks_at() -> None:
    view = View(60, interest=Interest("auc", ("m/tree/test.json",), ("auc", "loss")))
    lines, notes = draw(WIDE, view)
    assert lines[1].split() == ["experiment", "lr", "auc", "loss", "zeta", "auc", "loss"]
    assert lines[0].split()[0] == "tree/test.json" and "base/test.json" in lines[0]
    assert lines[2].split()[:4] == ["main", "0.1", "0.125", "0.50000"]
    assert notes[1:] == ["columns left out: 10 that differ, 12 constant   (--keep, --all, --csv)"]
    narrow = draw(WIDE, view._replace(width=30)).lines
    assert narrow[1].split() == ["experiment", "lr", "auc", "zeta"]
    assert narrow[0].split() == ["tree/test.json"] and len(narrow[0]) <= 30
    kept = draw(WIDE, view._replace(width=30, choice=Choice(keep=["zeta"]))).lines
    assert kept[1].split()[1:3] == ["zeta", "zeta"]


@pytest.mark.parametrize("width", range(30, 160, 7))
def test_files_stand_above_their_columns(width: int) -> None:
    lines = draw(WIDE, View(width, everything=width % 2 == 0)).lines
    assert max(map(len, lines)) <= width
    assert len(lines[0]) <= len(lines[1]) or not lines[0].strip()


def test_a_file_may_be_named_by_its_end() -> None:
    every = columns(WIDE)
    tree = Column("metrics", "m/tree/test.json", "auc")
    assert find_column(every, "tree/test.json:auc", "--x") == tree
    assert find_column(every, "auc", "--x", {"m/tree/test.json"}) == tree
    inner = Column("metrics", "m/tree/slices.json", "group_3.auc")
    assert find_column(every, "slices.json:group_3.auc", "--x") == inner
    with pytest.raises(UsageError) as several:
        find_column(every, "slices.json:auc", "--x")
    assert several.value.message.count("\n") == 9
    with pytest.raises(UsageError) as several:
        find_column(every, "rows", "--x")
    lines = several.value.message.splitlines()
    assert lines[1:] == ["  m/base/test.json:rows", "  m/tree/test.json:rows"]
    assert several.value.hint is not None and "base/test.json:rows" in several.value.hint
    for name in ("test.json:auc", "est.json:auc", "tree/test.json:nothing", ":", "x:auc"):
        with pytest.raises(UsageError):
            find_column(every, name, "--x")


def test_a_pinned_column_is_there_in_any_width() -> None:
    assert "seed" in _drawn(22, pinned=[SEED])[0][0]


def test_what_cannot_be_read_is_told_safely() -> None:
    told = draw(read(_document(_experiment("x\x1b[2J", B, None, "queued"))), View(80))
    text = "\n".join([*told.lines, *told.notes])
    assert "\x1b" not in text
    assert "state" in told.lines[0] and "queued" in text and "file" in told.notes[-1]


def test_csv_with_columns_chosen() -> None:
    def header(**choice: Any) -> list[str]:
        return as_csv(read(DOCUMENT), Choice(**choice), None).splitlines()[0].split(",")

    usual = ["Experiment", "rev", "typ", "Created", "parent", "acc", "train.lr", "seed", "data.csv"]
    assert header() == usual
    assert header(drop=["train", "Cre"]) == [
        one for one in usual if one not in ("train.lr", "Created")
    ]
    assert header(drop=["."], keep=["acc"]) == ["acc"]
    assert "seed" not in header(only_changed=True)
    assert "seed" in header(only_changed=True, keep=["seed"])
    with pytest.raises(UsageError):
        Choice(drop=["("]).check()

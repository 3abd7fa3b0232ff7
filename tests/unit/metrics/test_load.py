"""Metrics files: what of them is a metric, and what a bad one costs."""

from pathlib import Path
from typing import Any

import pytest
from dvc.repo.metrics.show import _collect_metrics, _gather_metrics

from mlxkit.metrics.load import MetricsFile, flatten, keep_metrics, load_metrics
from mlxkit.pipeline.params import read_file

TREES = [
    {"a": 1, "b": 2.5, "c": "text"},
    {"a": {"b": {"c": 0}}},
    {"a": [1, 2], "b": None, "c": True},
    {"a": {"b": []}, "c": {}},
    {"only": {"lists": [1]}},
    {},
]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_what_is_a_metric_is_what_dvc_shows(tree: Any, tmp_path: Path) -> None:
    from dvc.repo.metrics.show import _extract_metrics

    theirs = _extract_metrics(tree, "m.json")
    assert (keep_metrics(tree) or {}) == (theirs or {})


def test_dvcs_own_reader_is_where_it_was() -> None:
    assert callable(_gather_metrics) and callable(_collect_metrics)


@pytest.mark.parametrize(("values", "flat"), [
    ({"a": {"b": 1, "c": {"d": 2}}, "e": 3}, {"a.b": 1, "a.c.d": 2, "e": 3}),
    ({"a.b": 1}, {"a.b": 1}), ({}, {}), ({1: {2: 3}}, {"1.2": 3}), (0.5, {"": 0.5}),
])  # fmt: skip
def test_flatten(values: Any, flat: dict[str, Any]) -> None:
    assert flatten(values) == flat


def test_files_of_every_kind_and_of_a_folder(tmp_path: Path) -> None:
    texts = {"a.json": '{"x": 1}', "b.yaml": "x: 2\n", "c.toml": "x = 3\n", "n/d.json": '{"x": 4}'}
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = load_metrics([str(tmp_path)], read_file)
    assert [one.values for one in found] == [{"x": 1}, {"x": 2}, {"x": 3}, {"x": 4}]
    assert [Path(one.path).name for one in found] == ["a.json", "b.yaml", "c.toml", "d.json"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text('{"x": 1}')
    assert len(load_metrics([str(path), str(path), str(tmp_path)], read_file)) == 1


@pytest.mark.parametrize(("name", "data"), [
    ("m.json", b"{"), ("m.json", b"\xff"), ("m.yaml", b"a: ["), ("m.toml", b"a ="), ("m.json", b""),
])  # fmt: skip
def test_a_broken_file_is_told_and_the_others_are_read(
    name: str, data: bytes, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    (tmp_path / "z.json").write_text('{"x": 1}')
    broken, good = load_metrics([str(tmp_path / name), str(tmp_path / "z.json")], read_file)
    assert broken.error and "\n" not in broken.error and name in broken.error
    assert good == MetricsFile(str(tmp_path / "z.json"), {"x": 1})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (missing,) = load_metrics([str(tmp_path / "m.json")], read_file)
    assert missing.error == "does not exist"


@pytest.mark.parametrize("text", ["0.5", '"text"', "[1, 2]", "null"])
def test_a_file_that_is_one_value(text: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(text)
    (found,) = load_metrics([str(tmp_path / "m.json")], read_file)
    assert found.error is None
    assert found.values in (0.5, "text", {})

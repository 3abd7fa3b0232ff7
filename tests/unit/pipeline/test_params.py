"""Keys of parameter files mean what they mean to DVC."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.dependency.param import read_param_file
from dvc.fs import localfs
from hypothesis import given, settings
from hypothesis import strategies as st

from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.params import pick, read_file, survives_json
from mlxkit.pipeline.spec import Params

VALUES: dict[Any, Any] = {
    "lr": 0.1,
    "none": None,
    "empty": {},
    "net": {"depth": 3, "layers": [{"size": 1}, {"size": 2}], "dotted.key": 5},
    "list": [10, 20, [30, 40]],
    "a.b": "dotted",
    "1": "text",
    2: "number",
    "x": {"y": {"z": [1, {"w": 0}]}},
    "same": {"one": 1, "two": 1},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(VALUES, sort_keys=False))
    return path


def ours(path: Path, *keys: str) -> dict[str, Any]:
    return pick(read_file(str(path)), Params(path.name, str(path), keys))


def dvcs(path: Path, *keys: str) -> dict[str, Any]:
    found: dict[str, Any] = read_param_file(localfs, str(path), list(keys), flatten=True)
    return found


@pytest.mark.parametrize("key", [
    "lr", "none", "empty", "net", "net.depth", "net.layers", "net.layers.0", "net.layers.1.size",
    "list.0", "list.2.1", "list.9", "1", "2", "x.y.z.1.w", "x.y.z", "nothing", "net.nothing",
    "lr.deeper",
    "net.layers.x", "ne*", "n?t.depth", "*.depth", "x.*.z", "[l]r", "x.**.w", "list.*", "none.x",
    "lr.", ".lr",
])  # fmt: skip
def test_the_same_value_as_dvc(key: str, file: Path) -> None:
    try:
        expected = dvcs(file, key)
    except Exception:  # DVC gives up on some: then it is as if there was none
        expected = {}
    assert ours(file, key) == expected


def test_a_key_with_a_dot_in_its_name(file: Path) -> None:
    """Neither tool reaches it: a dot always leads deeper."""
    assert ours(file, "a.b", "net.dotted.key") == {}


def test_without_keys_the_whole_file(file: Path) -> None:
    assert ours(file) == VALUES
    assert list(ours(file)) == list(VALUES), "in its order"


def test_several_keys_keep_their_order_and_missing_ones_are_left_out(file: Path) -> None:
    assert list(ours(file, "net.depth", "nothing", "lr")) == ["net.depth", "lr"]


NAMES = st.sampled_from(["a", "b", "ab", "c d", "0", "é"])
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        st.integers(0, 3) | st.none() | st.text("xy", max_size=2),
        lambda inner: st.dictionaries(NAMES, inner, max_size=3) | st.lists(inner, max_size=3),
        max_leaves=6,
    ),
    min_size=1,
    max_size=3,
)
KEYS = st.lists(st.sampled_from(["a", "b", "ab", "c d", "0", "1", "é"]), min_size=1, max_size=4)


@given(TREES, KEYS)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_the_same_value_as_dvc_in_any_tree(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any], parts: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "tree.json"
    path.write_text(json.dumps(tree))
    key = ".".join(parts)
    assert ours(path, key) == dvcs(path, key)


TEXTS = {
    "p.yaml": "a: 1\nb: [x, 2.5, null, yes]\nc: {d: 2024-01-01}\n",
    "P.YAML": "a: 1\n",
    "p.yml": "a: 0o17\n",
    "p": "a: 1\n",
    "p.txt": "a: 1\n",
    "p.json": '{"a": [1, {"b": null}], "n": NaN, "e": 1e400}',
    "p.JSON": '{"a": 1}',
    "p.toml": 'a = 1\nd = 2024-01-01\n[t]\nx = "y"\n',
    "p.py": "A = 1\nB = (1, 2)\nclass C:\n  d = 'x'\n  def __init__(self):\n    self.e = 2\n",
    "empty.yaml": "",
    "comment.yaml": "# nothing\n",
    "null.yaml": "null\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_files_of_every_kind(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(TEXTS[name])
    expected = read_param_file(localfs, str(path))
    assert repr(read_file(str(path))) == repr(expected)


@pytest.mark.parametrize(("name", "data", "where"), [
    ("p.yaml", b"a: 1\nb: [\n", "p.yaml:"),
    ("p.yaml", b"\xff\xfe", "p.yaml"),
    ("p.json", b'{"a": 1,\n "b": }', "p.json:2"),
    ("p.json", b"\xff", "p.json"),
    ("p.json", b"", "p.json:1"),
    ("p.toml", b"a =\n", "p.toml"),
    ("p.py", b"def (\n", "p.py"),
])  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_place(
    name: str, data: bytes, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ProjectError) as caught:
        read_file(str(tmp_path / name))
    assert (caught.value.where or "").startswith(where)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", ["p.yaml", "p.json", "p.toml", "p.py"])
def test_a_folder_in_the_place_of_a_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    with pytest.raises(ProjectError, match=r"folder|directory"):
        read_file(str(tmp_path / name))


@pytest.mark.parametrize(("values", "survives"), [
    ({"a": [1, 2.5, None, True, "x"]}, True), ({"a": {"b": {}}}, True), ({1: "a"}, False),
    ({"a": (1,)}, False),
    ({"a": {1, 2}}, False), ({"a": float("nan")}, False), ({"a": float("inf")}, False),
])  # fmt: skip
def test_what_comes_back_from_json_as_it_is(values: Any, survives: bool) -> None:
    assert survives_json(values) is survives

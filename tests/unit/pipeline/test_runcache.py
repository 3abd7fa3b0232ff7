"""DVC's run-cache: the same names on disk, and never the result of other inputs."""

import copy
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from dvc.stage.cache import _get_cache_hash
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.pipeline.parts import entry, out, params, stage

from mlxkit.pipeline.runcache import RunCache, inputs_of
from mlxkit.pipeline.spec import Entry

MADE = entry({"in": "a" * 32}, {"out": "b" * 32}, {"params.yaml": {"lr": 0.1}})


@pytest.fixture
def cache(tmp_path: Path) -> RunCache:
    return RunCache(str(tmp_path), "/p", shared=False)


def _files(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "runs").rglob("*") if path.is_file())


def _with(**changes: Any) -> Entry:
    return {**copy.deepcopy(MADE), **changes}


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
)
NAMES = st.sampled_from(["size", "nfiles", "a", "é", "path", "md5", "1"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.text(max_size=8))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_the_names_on_disk_are_dvcs(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any], cmd: str
) -> None:
    made = entry({"in": "a" * 32}, {"out": "b" * 32}, {"params.yaml": values}, cmd=cmd)
    key = _get_cache_hash(copy.deepcopy(made), key=True)
    value = _get_cache_hash(copy.deepcopy(made))
    folder = tmp_path_factory.mktemp("cache")
    RunCache(str(folder), "/p", shared=False).save(made)
    (path,) = _files(folder)
    assert path.relative_to(folder / "runs") == Path(key[:2], key, value)


def test_what_was_saved_is_found_again(cache: RunCache) -> None:
    cache.save(MADE)
    assert list(cache.find(_with(outs=[{"path": "out"}]))) == [MADE]


@pytest.mark.parametrize("changed", [
    _with(cmd="other"),
    _with(deps=[{**MADE["deps"][0], "md5": "c" * 32}]),
    _with(deps=[{**MADE["deps"][0], "path": "in2"}]),
    _with(params={"params.yaml": {"lr": 0.2}}),
    _with(params={"params.yaml": {"lr": "0.1"}}),
    _with(params={"other.yaml": {"lr": 0.1}}),
    _with(outs=[{"path": "out2"}]),
    _with(outs=[{"path": "out"}, {"path": "more"}]),
])  # fmt: skip
def test_other_inputs_are_another_result(changed: Entry, cache: RunCache) -> None:
    cache.save(MADE)
    assert list(cache.find(changed)) == []


TREES = [
    ({"size": 1}, {"size": 2}),
    ({"nfiles": 1}, {"other": 1}),
    ({"net": {"size": 1, "lr": 3}}, {"net": {"size": 2, "lr": 3}}),
    ({"net": {"lr": 3}}, {"net": {"lr": 3, "nfiles": 1}}),
    ({"layers": [{"size": 1}, {"size": 2}]}, {"layers": [{"size": 2}, {"size": 1}]}),
    ({"size": 1}, {"size": 1.0}),
    ({"size": 1}, {"size": True}),
]


@pytest.mark.parametrize(("one", "other"), TREES)
def test_parameters_that_dvc_drops_from_its_key_are_compared(
    one: dict[str, Any], other: dict[str, Any], cache: RunCache
) -> None:
    """Named `size` or `nfiles`, at any depth: with DVC's key alone it would be the wrong result."""
    first = _with(params={"params.yaml": one})
    second = _with(params={"params.yaml": other}, outs=[{**MADE["outs"][0], "md5": "d" * 32}])
    cache.save(first)
    assert list(cache.find(second)) == []
    cache.save(second)
    assert list(cache.find(second)) == [second]
    assert list(cache.find(first)) == [first]


def test_the_sizes_of_dependencies_do_not_matter(cache: RunCache) -> None:
    cache.save(MADE)
    assert list(cache.find(_with(deps=[{**MADE["deps"][0], "size": 99}]))) == [MADE]


def test_the_newest_of_several_results_comes_first(cache: RunCache, tmp_path: Path) -> None:
    entries = [_with(outs=[{**MADE["outs"][0], "md5": sign * 32}]) for sign in "123"]
    for number, one in enumerate(entries):
        before = set(_files(tmp_path)) if number else set()
        cache.save(one)
        (path,) = set(_files(tmp_path)) - before
        os.utime(path, (number, number))
    assert list(cache.find(MADE)) == entries[::-1]


def test_an_entry_that_is_there_stays_as_it_is(cache: RunCache, tmp_path: Path) -> None:
    """DVC compares without sizes: the first that was written is the one that counts."""
    cache.save(MADE)
    cache.save(_with(deps=[{**MADE["deps"][0], "size": 99}]))
    assert list(cache.find(MADE)) == [MADE]
    assert len(_files(tmp_path)) == 1


DAMAGE = [
    b"", b"\0", b"\xff\xfe", b"cmd: [", b"- a\n", b"cmd: run\n", b"outs: 3\n",
    b"cmd: run\nouts: 3\n",
    b"cmd: run\nouts: [3]\n", b"cmd: run\nouts: {a: b}\n", b"cmd: run\ndeps: true\n",
    b"cmd: run\nouts:\n- path: out\n", b"cmd: run\nouts:\n- md5: a\n",
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_entry_is_ignored_and_written_anew(
    damage: bytes, cache: RunCache, tmp_path: Path
) -> None:
    cache.save(MADE)
    (path,) = _files(tmp_path)
    path.write_bytes(damage)
    assert list(cache.find(MADE)) == []
    cache.save(MADE)
    assert list(cache.find(MADE)) == [MADE]


def test_an_entry_cut_anywhere_gives_nothing_or_the_same_inputs(
    cache: RunCache, tmp_path: Path
) -> None:
    whole = _with(
        deps=[{**MADE["deps"][0], "md5": "1" * 32}], outs=[{**MADE["outs"][0], "md5": "2" * 32}]
    )
    cache.save(whole)
    (path,) = _files(tmp_path)
    data = path.read_bytes()
    for end in range(len(data)):
        path.write_bytes(data[:end])
        for found in cache.find(whole):
            assert inputs_of(found) == inputs_of(whole), f"cut at byte {end}"
            assert all(isinstance(one["md5"], str) for one in found["outs"]), f"cut at byte {end}"


def test_a_folder_in_the_place_of_an_entry_is_ignored(cache: RunCache, tmp_path: Path) -> None:
    cache.save(MADE)
    (path,) = _files(tmp_path)
    (path.parent / "folder").mkdir()
    assert list(cache.find(MADE)) == [MADE]


def test_what_cannot_be_named_is_not_kept(cache: RunCache, tmp_path: Path) -> None:
    """A date among the parameters: DVC cannot name it either."""
    import datetime

    dated = _with(params={"params.yaml": {"day": datetime.date(2024, 1, 1)}})
    cache.save(dated)
    assert not (tmp_path / "runs").exists()
    assert list(cache.find(dated)) == []


def test_keys_of_several_kinds_can_be_compared(cache: RunCache) -> None:
    """YAML has maps such as `{1: low, high: 2}`."""
    mixed = _with(params={"params.yaml": {"levels": {1: "low", "high": 2}}})
    other = _with(params={"params.yaml": {"levels": {1: "low", "high": 3}}})
    assert inputs_of(mixed) == inputs_of(copy.deepcopy(mixed))
    assert inputs_of(mixed) != inputs_of(other)
    cache.save(mixed)
    assert list(cache.find(other)) == []


@pytest.mark.parametrize(("kept", "keeps"), [
    (stage("s", ["in"], ["out"]), True),
    (stage("s", [], ["out"], params=(params("params.yaml", "lr"),)), True),
    (stage("s", ["in"], []), False),
    (stage("s", [], ["out"]), False),
    (stage("s", ["in"], ["out"], always=True), False),
    (stage("s", ["in"], ["out"], delegated="remote"), False),
    (stage("s", ["in"], [out("out", persist=True)]), False),
    (stage("s", ["in"], [out("../out", cache=False)]), False),
    (stage("s", ["in"], [out("m.json", cache=False)]), True),
    (stage(None, outs=["data"], cmd=None, file="data.dvc"), False),
])  # fmt: skip
def test_what_is_kept_at_all(kept: Any, keeps: bool, cache: RunCache) -> None:
    assert cache.keeps(kept) is keeps


def test_in_a_shared_cache_the_group_may_write(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        RunCache(str(tmp_path), "/p", shared=True).save(MADE)
    finally:
        os.umask(before)
    (path,) = _files(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o664
    for folder in (path.parent, path.parent.parent, tmp_path / "runs"):
        assert folder.stat().st_mode & 0o2775 == 0o2775


def test_dvc_can_read_what_is_kept(cache: RunCache, tmp_path: Path) -> None:
    from dvc.schema import COMPILED_LOCK_FILE_STAGE_SCHEMA
    from dvc.utils.serialize import load_yaml

    cache.save(MADE)
    (path,) = _files(tmp_path)
    assert COMPILED_LOCK_FILE_STAGE_SCHEMA(load_yaml(str(path))) == MADE

"""pipeline.lockfile against DVC's own writer, and against everything that happens to files."""

import copy
import datetime
import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import dumps_yaml, loads_yaml, modify_yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlxkit.core import yaml
from mlxkit.core.errors import ProjectError
from mlxkit.pipeline import lock_text
from mlxkit.pipeline.lock_salvage import is_cut, salvage
from mlxkit.pipeline.lockfile import CutLockError, LockFile

SLOW_OK = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
fast = settings(deadline=None, derandomize=True, max_examples=40, suppress_health_check=SLOW_OK)
MD5 = "d41d8cd98f00b204e9800998ecf8427e"

Entry = dict[str, Any]
Puts = list[tuple[str, Entry]]


def entry(cmd: Any = "python x.py", **params: Any) -> Entry:
    result: Entry = {
        "cmd": cmd,
        "deps": [{"path": "data/é.txt", "hash": "md5", "md5": MD5, "size": 3}],
    }
    if params:
        result["params"] = {"params.yaml": params}
    result["outs"] = [{"path": "out", "hash": "md5", "md5": MD5 + ".dir", "size": 9, "nfiles": 2}]
    return result


def dvc_put(path: Path, name: str, data: Entry) -> None:
    """What dvc.dvcfile.Lockfile.dump_stages does to the file."""
    with modify_yaml(str(path)) as lock:
        if not lock:
            lock.update({"schema": "2.0"})
        lock["stages"] = lock.get("stages", {})
        lock["stages"].update({name: copy.deepcopy(data)})


def by_dvc(folder: Path, text: str | None, puts: Puts) -> str:
    path = folder / "by-dvc.lock"
    path.unlink(missing_ok=True)
    if text is not None:
        path.write_text(text)
    for name, data in puts:
        dvc_put(path, name, data)
    return path.read_text()


def by_us(folder: Path, text: str | None, puts: Puts, order: list[int] | None = None) -> str:
    path = folder / "by-us.lock"
    path.unlink(missing_ok=True)
    if text is not None:
        path.write_text(text)
    lock = LockFile.read(str(path))
    for rank in order or range(len(puts)):
        lock.put(*puts[rank], rank)
        if rank % 2:
            lock.write()
    lock.write()
    return path.read_text()


def lock_of(*names: str, **extra: Any) -> str:
    return str(dumps_yaml({"schema": "2.0", "stages": {name: entry() for name in names}, **extra}))


# --- the same bytes as DVC

plain_texts = st.sampled_from(
    [
        "a",
        "data/x y.txt",
        "yes",
        "1e3",
        "2.0",
        "'q'",
        "a: b",
        "x #y",
        "é",
        "12345678",
        "",
        "-",
        "\\",
    ]
)
commands = st.one_of(
    st.sampled_from(
        [
            "python src/train.py --in data/a.txt",
            "python a.py " + "--option value " * 12,
            "set -e\necho 'a: b'\npython x.py\n",
            ["echo a", "echo 'b' # c"],
            "echo " + "x" * 100,
        ]
    ),
    st.lists(st.sampled_from(["a", "--x=1", "'q: r'", "x" * 60, "#", "é"]), min_size=1).map(
        " ".join
    ),
)
hashes = st.sampled_from([MD5, "0" * 31 + "1", "1234e567890123456789012345678901", MD5 + ".dir"])
items = st.lists(
    st.fixed_dictionaries(
        {
            "path": plain_texts,
            "hash": st.just("md5"),
            "md5": hashes,
            "size": st.integers(0, 10**12),
        },
        optional={"nfiles": st.integers(0, 99), "isexec": st.just(True)},
    ),
    min_size=1,
    max_size=2,
)
dates = st.sampled_from([datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3, 4, 5)])
params = st.recursive(
    st.one_of(
        plain_texts,
        st.integers(),
        st.sampled_from([0.1, 1e-05, 3.0, 1e16]),
        st.booleans(),
        st.none(),
        dates,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(plain_texts.filter(bool), inner, max_size=2)
    ),
    max_leaves=4,
)
entries = st.fixed_dictionaries(
    {"cmd": commands},
    optional={
        "deps": items,
        "params": st.fixed_dictionaries({"params.yaml": st.dictionaries(plain_texts, params)}),
        "outs": items,
    },
)
names = st.sampled_from(
    ["a", "b", "train", "eval@1.0-x", "each@{'a': 1}", "123", "yes", "k: v", "é"]
)
puts_of = st.lists(st.tuples(names, entries), min_size=1, max_size=4, unique_by=lambda put: put[0])
locks = st.one_of(
    st.none(),
    st.builds(
        lambda stages, data, first: dumps_yaml(
            {"schema": "2.0"}
            | ({**data, "stages": stages} if first else {"stages": stages, **data})
        ),
        st.dictionaries(names, entries, min_size=1, max_size=4),
        st.sampled_from([{}, {}, {"datasets": [{"name": "x", "url": "s3://x", "type": "url"}]}]),
        st.booleans(),
    ),
)


@fast
@given(locks, puts_of, st.randoms(use_true_random=False))
def test_puts_in_any_order_write_the_bytes_of_dvc(
    tmp_path_factory: pytest.TempPathFactory, text: str | None, puts: Puts, random: Any
) -> None:
    folder = tmp_path_factory.mktemp("lock")
    order = list(range(len(puts)))
    random.shuffle(order)
    assert by_us(folder, text, puts, order) == by_dvc(folder, text, puts)


@fast
@given(locks.filter(bool), puts_of, st.data())
def test_comments_and_hand_formatting_stay_as_under_dvc(
    tmp_path_factory: pytest.TempPathFactory, text: str, puts: Puts, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("lock")
    lines = text.split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        extra = data.draw(st.sampled_from(["# c", "  # c", "    # c", "", "#eol", "space"]))
        if extra == "#eol":
            lines[at] += "  # eol"
        elif extra == "space":
            lines[at] += "  "
        else:
            lines.insert(at, extra)
    edited = "\n".join(lines)
    try:
        expected = by_dvc(folder, edited, puts)
        LockFile.read(str(folder / "by-dvc.lock"))
        (folder / "edited.lock").write_text(edited)
        LockFile.read(str(folder / "edited.lock"))
    except Exception:  # the edit broke a quoted text
        return
    assert by_us(folder, edited, puts) == expected


HAND_MADE = {
    "flow style": "schema: '2.0'\nstages: {a: {cmd: x, outs: [{path: o}]}}\n",
    "flow entries": "schema: '2.0'\nstages:\n  a: {cmd: x}\n  b: {cmd: y}\n",
    "wide indentation": "schema: '2.0'\nstages:\n    a:\n        cmd: x\n    b:\n        cmd: y\n",
    "no stages": "schema: '2.0'\n",
    "empty stages": "schema: '2.0'\ndatasets: []\nstages: {}\n",
    "document marker": "---\nschema: '2.0'\nstages:\n  a:\n    cmd: x\n",
    "literal command": "schema: '2.0'\nstages:\n  a:\n    cmd: |\n      x\n  b:\n    cmd: z\n",
    "anchors": "schema: '2.0'\nstages:\n  a: &e\n    cmd: x\n  b: *e\n  c:\n    cmd: y\n",
    "stages first": "stages:\n  a:\n    cmd: x\nschema: '2.0'\n",
    "double quotes": 'schema: "2.0"\nstages:\n  "a":\n    cmd: "x"\n',
    "no newline at the end": "# mine\nschema: '2.0'\nstages:\n  a:\n    cmd: x",
    "blank lines": "schema: '2.0'\n\nstages:\n\n  a:\n    cmd: x\n\n  b:\n    cmd: y\n\n\n",
    "comment at the top": "# licence\n\nschema: '2.0'\nstages:\n  # first\n  a:\n    cmd: x\n",
    "legacy item": "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    outs:\n    - path: o\n",
}


@pytest.mark.parametrize("text", HAND_MADE.values(), ids=HAND_MADE)
@pytest.mark.parametrize("name", ["a", "b", "new"])
def test_hand_made_files_become_what_dvc_makes_of_them(
    tmp_path: Path, text: str, name: str
) -> None:
    puts = [(name, entry()), ("c", entry("y"))]
    assert by_us(tmp_path, text, puts) == by_dvc(tmp_path, text, puts)
    assert by_us(tmp_path, text, puts, [1, 0]) == by_dvc(tmp_path, text, puts)


def test_parts_that_occur_twice_get_dvcs_anchors(tmp_path: Path) -> None:
    shared = {"lr": 0.1}
    puts = [
        ("a", entry(model=shared, all=[shared])),
        ("b", entry()),
        ("c", entry(x=shared, y=shared)),
    ]
    text = by_us(tmp_path, None, puts, [2, 0, 1])
    assert "*id002" in text
    assert text == by_dvc(tmp_path, None, puts)


def test_ordered_dicts_and_tuples_are_plain(tmp_path: Path) -> None:
    puts = [("a", {**entry(), "params": OrderedDict(p=OrderedDict(x=(1, 2)))})]
    assert by_us(tmp_path, None, puts) == by_dvc(tmp_path, None, puts)


# --- where DVC's own bytes would be wrong


@pytest.mark.parametrize(
    "data",
    [
        entry("python  " + "x" * 80),
        entry("x\t= " + "x" * 70 + "\n" + "y  " * 40),
        entry(**{"a " * 40 + "b": {"c " * 40 + "d": 1}}),
    ],
)
def test_what_dvc_could_not_read_again_is_written_readably(tmp_path: Path, data: Entry) -> None:
    text = by_us(tmp_path, lock_of("a"), [("b", data)])
    assert loads_yaml(text)["stages"] == {"a": entry(), "b": data}
    (tmp_path / "dvc.lock").write_text(text)
    lock = LockFile.read(str(tmp_path / "dvc.lock"))
    lock.put("c", entry(), 1)
    assert loads_yaml(lock.text())["stages"] == {"a": entry(), "b": data, "c": entry()}


def test_numbers_do_not_drift_as_they_do_under_dvc(tmp_path: Path) -> None:
    drifting = entry(lr=6.429530039508039e-17)
    puts = [("a", drifting), ("b", entry()), ("c", entry())]
    commented = "# mine\n" + by_us(tmp_path, None, puts[:1]).replace("size: 3", "size: 3  # s")
    for text in (None, commented):
        assert loads_yaml(by_us(tmp_path, text, puts))["stages"]["a"] == drifting
    assert loads_yaml(by_dvc(tmp_path, None, puts))["stages"]["a"] != drifting


# --- work is done once


def test_only_the_changed_block_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "dvc.lock"
    path.write_text(lock_of(*(f"s{number}" for number in range(50))))
    monkeypatch.setattr(lock_text, "_put_by_pass", None)
    lock = LockFile.read(str(path))
    lock.text()
    written: list[str] = []
    block_of = lock_text.block_of

    def counted(name: str, data: Entry) -> str:
        written.append(name)
        return block_of(name, data)

    monkeypatch.setattr(lock_text, "block_of", counted)
    for rank in range(50):
        lock.put(f"s{rank}", entry("changed"), rank)
        lock.text()
    assert len(written) <= 100


def test_known_digest_spares_the_look_at_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dvc.lock"
    path.write_text(lock_of("a", "b"))
    digest = LockFile.read(str(path)).digest
    monkeypatch.setattr(lock_text, "is_fresh", None)
    lock = LockFile.read(str(path), known_digest=digest)
    lock.put("a", entry("x"), 0)
    assert "cmd: x" in lock.text()


def test_nothing_is_written_if_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "dvc.lock"
    path.write_text(lock_of("a", "b"))
    before = os.stat(path)
    lock = LockFile.read(str(path))
    lock.write()
    lock.put("a", entry(), 0)
    lock.write()
    after = os.stat(path)
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_the_digest_follows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "dvc.lock"
    lock = LockFile.read(str(path))
    assert lock.digest is None
    lock.put("a", entry(), 0)
    lock.write()
    assert lock.digest == LockFile.read(str(path)).digest


class Memory(dict[str, Any]):
    """A cache that forgets nothing."""

    def put(self, key: str, value: Any) -> None:
        self[key] = value


def test_the_cache_stands_in_for_parsing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "dvc.lock"
    path.write_text(lock_of("a", "b", datasets=[{"name": "x"}]))
    cache = Memory()
    first = LockFile.read(str(path), cache=cache)
    monkeypatch.setattr(yaml, "load", None)
    second = LockFile.read(str(path), cache=cache)
    assert (first.stages, first.extra) == (second.stages, second.extra)


@pytest.mark.parametrize("value", [datetime.date(2020, 1, 2), float("nan"), float("inf"), {1: 2}])
def test_what_json_would_change_is_not_cached(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "dvc.lock"
    path.write_text(dumps_yaml({"schema": "2.0", "stages": {"a": entry(x=value)}}))
    cache = Memory()
    LockFile.read(str(path), cache=cache)
    assert not cache


# --- order


def test_new_stages_stand_in_dvcs_order_whoever_ends_first(tmp_path: Path) -> None:
    path = tmp_path / "dvc.lock"
    path.write_text(lock_of("z", "m"))
    lock = LockFile.read(str(path))
    for name, rank in (("c", 3), ("m", 0), ("a", 2), ("b", 1)):
        lock.put(name, entry(), rank)
        lock.write()
    assert list(LockFile.read(str(path)).stages) == ["z", "m", "b", "a", "c"]


def test_a_killed_run_goes_on_in_the_same_order(tmp_path: Path) -> None:
    path = tmp_path / "dvc.lock"
    path.write_text(lock_of("z", "c", "a"))
    lock = LockFile.read(str(path), base=["z"])
    lock.put("b", entry(), 2)
    lock.set_ranks({"a": 1, "c": 3, "z": 9})
    assert list(loads_yaml(lock.text())["stages"]) == ["z", "a", "b", "c"]


def test_ranks_alone_reorder_the_appended_stages(tmp_path: Path) -> None:
    path = tmp_path / "dvc.lock"
    path.write_text(lock_of("z", "c", "a", datasets=[]))
    lock = LockFile.read(str(path), base=["z"])
    assert lock.text() == path.read_text()
    lock.set_ranks({"a": 1, "c": 3})
    assert lock.text() == lock_of("z", "a", "c", datasets=[])


# --- reading, and what is wrong with a file


def read_text(tmp_path: Path, text: str) -> LockFile:
    path = tmp_path / "dvc.lock"
    path.write_text(text)
    return LockFile.read(str(path))


def test_reading_keeps_file_order_and_extras(tmp_path: Path) -> None:
    lock = read_text(tmp_path, lock_of("b", "a", datasets=[{"name": "x"}]))
    assert list(lock.stages) == ["b", "a"]
    assert lock.stages["a"] == entry()
    assert lock.extra == {"datasets": [{"name": "x"}]}


def test_a_missing_file_is_an_empty_lock(tmp_path: Path) -> None:
    lock = LockFile.read(str(tmp_path / "dvc.lock"))
    assert lock.stages == {} and lock.text() == ""
    lock.write()
    assert not (tmp_path / "dvc.lock").exists()


WRONG = {
    "- a\n": (1, "expected a mapping"),
    "a:\n  cmd: x\n": (1, "'schema' is missing"),
    "schema: '3.0'\nstages: {}\n": (1, "unknown schema '3.0'"),
    "schema: 2.0\nstages: {}\n": (1, "unknown schema 2.0"),
    "schema: '2.0'\nstages: []\nx: 1\n": (3, "unknown key 'x'"),
    "schema: '2.0'\nstages: []\n": (2, "'stages' is not a mapping"),
    "schema: '2.0'\nstages:\n  a: x\n": (3, "stage 'a' is not a mapping"),
    "schema: '2.0'\nstages:\n  1:\n    cmd: x\n": (3, "stage name 1 is not text"),
    "schema: '2.0'\nstages:\n  a:\n    deps: []\n": (3, "'cmd' is not a command"),
    "schema: '2.0'\nstages:\n  a:\n    cmd: 1\n": (4, "'cmd' is not a command"),
    "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    dep: []\n": (5, "unknown key 'dep'"),
    "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    deps: {}\n": (5, "'deps' is not a list"),
    "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    outs:\n    - path: o\n    - md5: o\n": (
        7,
        "'outs' has an item without a path",
    ),
    "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    params: []\n": (5, "'params' is not a mapping"),
    "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    params:\n      p.yaml: 1\n": (
        6,
        "'p.yaml' is not a mapping",
    ),
    "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    params:\n      p:\n        1: 2\n": (
        7,
        "key 1 is not text",
    ),
    "schema: '2.0'\nstages:\n  a:\n    cmd: x\n  a:\n    cmd: y\n": (5, "duplicate key"),
    "schema: '2.0'\n<<<<<<< HEAD\nstages: {}\n=======\n>>>>>>> b\n": (2, "merge-conflict markers"),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.items(), ids=[v[1] for v in WRONG.values()])
def test_an_invalid_lock_is_an_error_with_its_line(
    tmp_path: Path, text: str, expected: tuple[int, str]
) -> None:
    with pytest.raises(ProjectError) as caught:
        read_text(tmp_path, text)
    assert not isinstance(caught.value, CutLockError)
    assert caught.value.where == f"{tmp_path}/dvc.lock:{expected[0]}"
    assert expected[1] in caught.value.message
    assert not is_cut(text) and salvage(text, None) is None


# --- salvage

STAGES = {
    "a": entry(),
    "b@1.0-x": entry(["echo 'a'", "x\ny: z\n"], lr=0.1, model={"depth": [1, 2]}),
    "k: v": entry("word " * 20),
    'é"q': entry("a # b"),
}
DATASETS = [{"name": "x", "url": "s3://a", "type": "url"}]
WHOLE = {
    "stages only": {"schema": "2.0", "stages": STAGES},
    "data sets before": {"schema": "2.0", "datasets": DATASETS, "stages": STAGES},
    "data sets after": {"schema": "2.0", "stages": STAGES, "datasets": DATASETS},
}
OLD = {"schema": "2.0", "stages": {**{name: entry("old") for name in STAGES}, "z": entry()}}


@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE)
def test_a_lock_cut_at_any_byte_is_salvaged(tmp_path: Path, whole: dict[str, Any]) -> None:
    path = tmp_path / "dvc.lock"
    raw = dumps_yaml(whole).encode()
    old = dumps_yaml(OLD)
    for size in range(0, len(raw), 41):
        path.write_bytes(raw[:size])
        try:
            LockFile.read(str(path))
        except CutLockError as error:
            check_salvaged(error.text, old)
        else:  # the cut is between two lines: a valid lock
            assert raw[:size].endswith(b"\n")


def check_salvaged(text: str, old: str) -> None:
    saved, alone = salvage(text, old), salvage(text, None)
    assert saved is not None and alone is not None
    assert saved.kept == tuple(STAGES)[: len(saved.kept)] == alone.kept
    assert saved.restored == tuple(name for name in OLD["stages"] if name not in saved.kept)
    assert saved.lost == () and len(alone.lost) <= 1
    for name in saved.kept:
        assert saved.stages[name] == STAGES[name]
    assert loads_yaml(saved.text)["stages"] == dict(saved.stages)
    assert (loads_yaml(alone.text) or {"stages": {}})["stages"] == dict(alone.stages)


def test_the_stage_at_the_cut_is_dropped_though_it_parses() -> None:
    text = lock_of("a", "b")
    text = text[: text.rindex("    outs:")] + "    out"
    saved = salvage(text, None)
    assert saved is not None
    assert (saved.kept, saved.restored, saved.lost) == (("a",), (), ("b",))
    assert saved.text == lock_of("a")


def test_lost_data_sets_come_from_the_fallback() -> None:
    text = lock_of("a", datasets=DATASETS)
    saved = salvage(text[:-9], text)
    assert saved is not None
    assert saved.text == text


def test_zeros_after_a_power_cut_are_a_cut() -> None:
    text = lock_of("a")
    saved = salvage(text + "\0" * 100, None)
    assert is_cut(text + "\0") and saved is not None
    assert saved.text == text


@pytest.mark.parametrize("text", ["", "\n", "sch", "schema: '2.0'\nstages:\n"])
def test_an_empty_file_is_cut(tmp_path: Path, text: str) -> None:
    with pytest.raises(CutLockError):
        read_text(tmp_path, text)
    saved = salvage(text, None)
    assert saved is not None
    assert saved.text == "" and not saved.stages
    restored = salvage(text, lock_of("a"))
    assert restored is not None
    assert restored.text == lock_of("a")


@pytest.mark.parametrize(
    "text",
    [
        lock_of("a", "b").replace("  b:", "<<<<<<< HEAD\n  b:") + "=======\n>>>>>>> x\n",
        lock_of("a", "b").replace("size: 3", "size: [3", 1),
        lock_of("a", "b").replace("hash: md5", "hash md5"),
        lock_of("a", "b") + "    outputs: []\n",
        lock_of("a", "b") + "other: 1\n",
        "hello\n",
    ],
)
def test_what_a_hand_broke_is_not_salvaged(tmp_path: Path, text: str) -> None:
    assert salvage(text, lock_of("a", "b")) is None
    with pytest.raises(ProjectError) as caught:
        read_text(tmp_path, text)
    assert not isinstance(caught.value, CutLockError)


def test_a_useless_fallback_is_ignored() -> None:
    text = lock_of("a", "b")[:-20]
    for fallback in ("", "- x\n", "<<<<<<< HEAD\n"):
        saved = salvage(text, fallback)
        assert saved is not None
        assert saved.kept == ("a",)

"""Lock files of any form and time are read as YAML would read them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlxkit.core import yaml
from mlxkit.lineage.pieces import cut, parse, parse_all, recut
from mlxkit.lineage.recipe import Unreadable, Used

NAMES = st.one_of(
    st.sampled_from(["train", "a@b", "true", "1", "1e3", "null", "a b", "x:y", "ä", "-", "data/x"]),
    st.text(min_size=1, max_size=6),
)
DIGESTS = st.one_of(
    st.text("0123456789abcdef", min_size=32, max_size=32),
    st.just("0" * 32),
    st.just("1" * 32),
    st.just("1234567890123456789012345678901e"),
    st.just("ab" * 16 + ".dir"),
)
ITEMS = st.lists(
    st.fixed_dictionaries(
        {"path": NAMES, "hash": st.just("md5"), "md5": DIGESTS},
        optional={"size": st.integers(0, 10**12), "nfiles": st.integers(1, 9)},
    ),
    max_size=3,
)
COMMANDS = st.one_of(
    st.sampled_from(["python a.py", "a\nb\n", "stages:\n  x:\n", 'say "  a:\n  b"', "  x:\n"]),
    st.text(min_size=1, max_size=60),
    st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=3),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.floats(0, 1),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
ENTRIES = st.fixed_dictionaries(
    {"cmd": COMMANDS},
    optional={
        "deps": ITEMS,
        "params": st.dictionaries(NAMES, st.dictionaries(st.text(max_size=6), VALUES), max_size=2),
        "outs": ITEMS,
    },
)


def plain(stages: dict[str, Any]) -> list[Any]:
    return [
        (
            name,
            entry["cmd"],
            [(one["path"], one["md5"]) for one in entry.get("deps", ())],
            entry.get("params", {}),
            [(one["path"], one["md5"], one.get("size")) for one in entry.get("outs", ())],
        )
        for name, entry in stages.items()
    ]


def told(data: bytes) -> list[Any]:
    return [
        (
            one.name,
            one.cmd,
            [(dep.path, dep.md5) for dep in one.deps],
            one.params,
            [tuple(out) for out in one.outs],
        )
        for one in parse_all("dvc.lock", data)
    ]


@settings(deadline=None, derandomize=True, max_examples=150)
@given(stages=st.dictionaries(NAMES, ENTRIES, max_size=4))
def test_a_lock_is_read_as_its_yaml(stages: dict[str, Any]) -> None:
    text = yaml.dumps({"schema": "2.0", "stages": stages})
    try:
        there = yaml.load(text)["stages"]
    except Exception:
        return  # what no lock file can hold
    assert told(text.encode()) == plain(there)


def test_only_changed_stages_are_new_pieces() -> None:
    one = "schema: '2.0'\nstages:\n  a:\n    cmd: x\n  b:\n    cmd: y\n"
    two = one.replace("cmd: y", "cmd: z")
    assert set(cut("dvc.lock", two.encode())) - set(cut("dvc.lock", one.encode())) == {
        "  b:\n    cmd: z\n"
    }


def test_schema_1_and_datasets_and_anchors() -> None:
    old = b"a:\n  cmd: x\n  outs:\n  - path: o\n    md5: " + b"a" * 32 + b"\nb:\n  cmd: y\n"
    assert [one.name for one in parse_all("dvc.lock", old)] == ["a", "b"]
    assert parse_all("dvc.lock", old)[0].outs == (Used("o", "a" * 32),)
    more = b"schema: '2.0'\nstages:\n  a:\n    cmd: x\ndatasets:\n- name: d\n  url: u\n"
    assert [one.name for one in parse_all("dvc.lock", more)] == ["a"]
    anchored = b"schema: '2.0'\nstages:\n  a: &x\n    cmd: x\n  b: *x\n"
    assert [one.cmd for one in parse_all("dvc.lock", anchored)] == ["x", "x"]
    assert len(recut(anchored)) == 2


def test_flow_style_and_comments() -> None:
    text = b"# c\nschema: '2.0'\nstages: {a: {cmd: x, outs: [{path: o, md5: '0'}]}}\n"
    assert parse_all("dvc.lock", text)[0].outs == (Used("o", "0"),)
    text = b"schema: '2.0'\nstages:\n  a:\n    cmd: x\n  # about b\n  b:\n    cmd: y\n"
    assert [one.cmd for one in parse_all("dvc.lock", text)] == ["x", "y"]


@pytest.mark.parametrize(
    "text", [b"\xff", b"- a\n", b"stages: 3\n", b"schema: '2.0'\nstages:\n  a: [\n", b"<<<<<<< a\n"]
)
def test_broken_files_are_refused(text: bytes) -> None:
    with pytest.raises(Unreadable):
        parse_all("dvc.lock", text)


def test_dvc_files() -> None:
    text = b"wdir: ..\nouts:\n- md5: " + b"b" * 32 + b"\n  size: 3\n  path: x.csv\n"
    (found,) = parse("a.dvc", cut("a.dvc", text)[0])
    assert (found.wdir, found.outs) == ("..", (Used("x.csv", "b" * 32, 3),))
    imported = (
        b"deps:\n- path: data.xml\n  repo:\n    url: https://x/y.git\n    rev_lock: abc\n"
        b"outs:\n- md5: " + b"b" * 32 + b"\n  path: x\n"
    )
    (found,) = parse("a.dvc", imported.decode())
    assert found.deps == (Used("https://x/y.git@abc:data.xml", ""),)
    listed = (
        b"outs:\n- path: d\n  files:\n  - relpath: a\n    md5: " + b"c" * 32 + b"\n    size: 3\n"
    )
    (found,) = parse("d.dvc", listed.decode())
    assert found.outs == (Used("d", ""), Used("d/a", "c" * 32))

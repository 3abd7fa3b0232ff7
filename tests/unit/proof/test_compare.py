"""What a rebuild made against what is recorded: numbers, and why it differs."""

import math
from typing import Any

import pytest

from mlxkit.pipeline.spec import Out, Stage
from mlxkit.proof.compare import Made, causes, same_numbers
from mlxkit.proof.tolerance import Tolerances
from mlxkit.proof.views import content_digests

STAGE = Stage("/p/dvc.yaml", "s", "/p", "run", outs=(Out("o", "/p/o"),))
ENTRY: dict[str, Any] = {
    "cmd": "run",
    "deps": [{"path": "d", "hash": "md5", "md5": "1", "size": 1}],
    "params": {"params.yaml": {"lr": 0.1}},
    "outs": [{"path": "o", "hash": "md5", "md5": "2", "size": 1}],
}
HERE = Made("e", "/bin/sh", "Linux x86_64")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1.0, 1.0000001, True),
        (1.0, 1.1, False),
        (1, 1.0, True),
        (1e9, 1e9 + 1, True),
        (0.0, 1e-7, True),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (True, 1, False),
        ("1", 1, False),
        ({"a": [1.0, {"b": 2}]}, {"a": [1.0 + 1e-8, {"b": 2}]}, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1], [1, 2], False),
        ("x", "x", True),
        (None, None, True),
        (None, 0, False),
    ],
)
def test_numbers_within_a_tolerance(one: Any, other: Any, same: bool) -> None:
    assert same_numbers(one, other, 1e-6) is same
    assert same_numbers(other, one, 1e-6) is same


def _kinds(**now: Any) -> list[str]:
    more = {"before": HERE, "now": HERE, "env": [], **now}
    stage = more.get("stage", STAGE)
    rebuilt = {**ENTRY, **more.get("entry", {})}
    found = causes(stage, ENTRY, rebuilt, more["before"], more["now"], more["env"])
    return [one.kind for one in found]


def test_each_cause() -> None:
    assert _kinds() == ["not-deterministic"]
    assert _kinds(before=None) == ["not-deterministic"]
    assert _kinds(entry={"cmd": "other"}) == ["cmd"]
    assert _kinds(entry={"deps": [{**ENTRY["deps"][0], "md5": "9"}]}) == ["deps"]
    assert _kinds(entry={"params": {"params.yaml": {"lr": 0.2}}}) == ["params"]
    assert _kinds(env=["numpy 1 -> 2"]) == ["env"]
    assert _kinds(now=HERE._replace(shell="/bin/zsh")) == ["shell"]
    assert _kinds(now=HERE._replace(machine="Linux aarch64")) == ["machine"]
    persist = STAGE._replace(outs=(Out("o", "/p/o", persist=True),))
    assert _kinds(stage=persist) == ["persist"]
    assert [one.kind for one in causes(STAGE, None, ENTRY, None, HERE, [])] == ["not-locked"]


def test_the_likeliest_comes_first() -> None:
    found = _kinds(
        entry={"cmd": "other", "params": {}}, env=["x"], now=HERE._replace(shell="/bin/zsh")
    )
    assert found == ["cmd", "env", "shell"]


def test_what_nobody_recorded_is_no_difference() -> None:
    """Records of earlier versions name no shell."""
    assert _kinds(before=Made("e", None, None)) == ["not-deterministic"]


def test_bytecode_in_a_folder_is_no_changed_input() -> None:
    was = {"path": "d", "hash": "md5", "md5": "1.dir", "size": 1, "nfiles": 3}
    now = {**was, "md5": "2.dir", "nfiles": 2}
    recorded = {**ENTRY, "deps": [was]}
    found = causes(STAGE, recorded, {**ENTRY, "deps": [now]}, HERE, HERE, [])
    assert [one.kind for one in found] == ["not-deterministic"]


def test_patterns_of_tolerances() -> None:
    chosen = Tolerances({"metrics/*.json": 0.1, "*.json": 0.2})
    assert chosen.of("metrics/a.json") == 0.1
    assert chosen.of("b.json") == 0.2
    assert chosen.of("b.csv") is None


def test_digests_that_a_content_may_have() -> None:
    unix, dos = content_digests(b"a\nb\n", legacy=False)
    assert content_digests(b"a\r\nb\r\n", legacy=False) == (dos, dos)
    assert content_digests(b"a\r\nb\r\n", legacy=True) == (unix, dos)
    assert len(content_digests(b"\0a\r\n", legacy=True)) == 1
    assert content_digests(b"version https://git-lfs.github.com/spec/v1\noid", legacy=False) == ()

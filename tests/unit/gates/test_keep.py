"""Records of verdicts: what is one, and which is the newest."""

import json
from pathlib import Path
from typing import Any

import pytest

from mlxkit.core.errors import UsageError
from mlxkit.gates import keep, override
from mlxkit.gates.keep import CHAIN, Kept, Place
from mlxkit.gates.verdict import Outcome, Verdict
from mlxkit.runs.record import canonical
from mlxkit.runs.repository import Who
from mlxkit.tools import git

NAN = b'{"format":1,"kind":"verdict","passed":true,"x":NaN}'
WHO = Who("Ann", "Ann <ann@example.org> 1 +0000")
RIGHT: dict[str, Any] = {
    "format": 1, "kind": "verdict", "commit": "c", "gate": "g", "project": "", "when": "w",
    "who": "a", "passed": True,
}  # fmt: skip
PASSES = Outcome("g", [Verdict("threshold", "pass", "fine")])
FAILS = Outcome("g", [Verdict("threshold", "fail", "bad")])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    git.run(str(tmp_path), "init", "-q")
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Ann")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "ann@example.org")
    return Place(str(tmp_path), "")


@pytest.mark.parametrize(
    "other",
    [
        {"format": 2}, {"kind": "opinion"}, {"kind": "override"}, {"passed": "yes"}, {"commit": 1},
        {"gate": None}, {"who": []}, {"when": 5},
    ],
)  # fmt: skip
def test_what_is_no_record_is_passed_over(other: dict[str, Any], place: Place) -> None:
    CHAIN.append(place.git_root, canonical(RIGHT), WHO, "right")
    for data in (
        canonical({**RIGHT, **other}),
        b"{",
        b"[]",
        b"[" * 100_000,
        b'{"format":1e999}',
        NAN,
    ):
        CHAIN.append(place.git_root, data, WHO, "wrong")
    assert [one.what for one in keep.records(place)] == [RIGHT]


def test_records_of_another_project_are_left_alone(place: Place) -> None:
    CHAIN.append(place.git_root, canonical({**RIGHT, "project": "sub"}), WHO, "theirs")
    assert keep.records(place) == []
    assert len(keep.records(Place(place.git_root, "sub"))) == 1


def test_only_what_is_new_is_kept(place: Place) -> None:
    def kept(outcome: Outcome) -> str:
        return keep.keep_outcome(place, "c", outcome, [{}], keep.records(place))

    first = kept(PASSES)
    assert kept(PASSES) == first
    second = kept(FAILS)
    third = kept(PASSES)
    assert len({first, second, third}) == len(keep.records(place)) == 3
    found = keep.newest(keep.records(place), "verdict", "c", "g")
    assert found is not None and found.id == third
    assert keep.newest(keep.records(place), "verdict", "d", "g") is None
    (message,) = {one.split(" ", 1)[1] for one in _log(place)[:3]}
    assert message == "verdict of gate g at c"


def _log(place: Place) -> list[str]:
    return git.run(place.git_root, "log", "--oneline", CHAIN.ref).decode().splitlines()


def test_an_override_is_of_one_verdict(place: Place) -> None:
    failed = keep.keep_outcome(place, "c", FAILS, [], [])
    override.let_through(place, "c", "g", failed, name=" Bo ", reason=" it must be ")
    found = override.in_force(keep.records(place), "c", "g")
    assert found is not None and (found.name, found.reason) == ("Bo", "it must be")
    assert override.in_force(keep.records(place), "d", "g") is None
    keep.keep_outcome(place, "c", PASSES, [], keep.records(place))
    assert override.in_force(keep.records(place), "c", "g") is None


@pytest.mark.parametrize(("reason", "name"), [("", "a"), (" ", "a"), ("a", ""), ("a", "\t")])
def test_an_override_needs_a_reason_and_a_name(reason: str, name: str, place: Place) -> None:
    with pytest.raises(UsageError, match="--override needs a"):
        override.let_through(place, "c", "g", "v", name=name, reason=reason)
    assert CHAIN.tip(place.git_root) is None


def test_a_record_says_who_and_when(place: Place) -> None:
    keep.keep_outcome(place, "c", FAILS, [], [])
    (one,) = keep.records(place)
    assert isinstance(one, Kept) and one.what["who"] == "Ann <ann@example.org>"
    assert json.loads(json.dumps(one.what))["verdicts"][0]["why"] == "bad"
    assert one.when == one.what["when"] and one.when.endswith("Z")

"""Records of verdicts: what is one, and which is the newest."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mlxkit.audit import log
from mlxkit.audit.event import Kind
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.gates import ledger, override
from mlxkit.gates.accepted import accepts
from mlxkit.gates.ledger import CHAIN, Kept, Place
from mlxkit.gates.verdict import Outcome, Verdict
from mlxkit.gates.vouched import doubts
from mlxkit.runs.record import canonical
from mlxkit.runs.repository import Who
from mlxkit.tools import git

NAN = b'{"format":1,"kind":"verdict","passed":true,"x":NaN}'
AUTHOR = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org"}
WHO = Who("Ann", "Ann <ann@example.org> 1 +0000")
RIGHT: dict[str, Any] = {
    "format": 1, "kind": "verdict", "commit": "c", "gate": "g", "project": "", "when": "w",
    "who": "a", "passed": True, "verdicts": [],
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
        {"gate": None}, {"who": []}, {"when": 5}, {"verdicts": None}, {"verdicts": {}},
        {"verdicts": [1]}, {"verdicts": [{"rule": "size", "verdict": [], "why": ""}]},
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
    assert [one.what for one in ledger.records(place)] == [RIGHT]


def test_records_of_another_project_are_left_alone(place: Place) -> None:
    CHAIN.append(place.git_root, canonical({**RIGHT, "project": "sub"}), WHO, "theirs")
    assert ledger.records(place) == []
    assert len(ledger.records(Place(place.git_root, "sub"))) == 1


def test_only_what_is_new_is_kept(place: Place) -> None:
    def kept(outcome: Outcome) -> str:
        return ledger.keep_outcome(place, "c", outcome, [{}], ledger.records(place))

    first = kept(PASSES)
    assert kept(PASSES) == first
    second = kept(FAILS)
    third = kept(PASSES)
    assert len({first, second, third}) == len(ledger.records(place)) == 3
    found = ledger.newest(ledger.records(place), "verdict", "c", "g")
    assert found is not None and found.id == third
    assert ledger.newest(ledger.records(place), "verdict", "d", "g") is None
    (message,) = {one.split(" ", 1)[1] for one in _log(place)[:3]}
    assert message == "verdict of gate g at c"


def test_several_at_once_keep_a_verdict_once(place: Place) -> None:
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(ledger.keep_outcomes, place, "c", [FAILS], {"g": []}) for _ in range(4)]
    assert len({one.result()["g"] for one in jobs}) == len(ledger.records(place)) == 1
    assert len(log.read(place.git_root)) == 1


def test_the_chain_tells_which_is_newest_and_no_clock(place: Place) -> None:
    for when in ("2026-03", "2026-01", "2026-02"):
        CHAIN.append(place.git_root, canonical({**RIGHT, "when": when}), WHO, when)
    assert [one.when for one in ledger.records(place)] == ["2026-03", "2026-01", "2026-02"]


def test_a_record_counts_that_the_audit_log_has(place: Place) -> None:
    passed = ledger.keep_outcome(place, "c", PASSES, [], [])
    pushed = canonical({**RIGHT, "when": "later"})  # by who may write to the ref of records alone
    forged = CHAIN.append(place.git_root, pushed, WHO, "forged")
    known = ledger.records(place)
    assert [one.id for one in known] == [passed, forged]
    assert doubts(place, known) == {forged: "it is not in the audit log"}
    said = {"record": forged, "commit": "another", "gate": "g", "project": ""}
    log.append(place.git_root, Kind.GATE_VERDICT, said)
    log.append(place.git_root, Kind.OVERRIDE, {**said, "commit": "c"})
    assert doubts(place, known).keys() == {forged}, "events of something else"
    event = git.run(place.git_root, "cat-file", "commit", log.REF).replace(b"Ann", b"Bob")
    made = git.run(place.git_root, "hash-object", "-t", "commit", "-w", "--stdin", stdin=event)
    git.run(place.git_root, "update-ref", log.REF, made.decode().strip())
    told = doubts(place, known)
    assert set(told) == {passed, forged} and "audit log is not whole" in told[passed]


def _log(place: Place) -> list[str]:
    return git.run(place.git_root, "log", "--oneline", CHAIN.ref).decode().splitlines()


def test_an_override_is_of_one_verdict(place: Place) -> None:
    failed = ledger.keep_outcome(place, "c", FAILS, [], [])
    override.let_through(place, "c", "g", failed, name=" Bo ", reason=" it must be ")
    found = override.in_force(ledger.records(place), "c", "g")
    assert found is not None and (found.name, found.reason) == ("Bo", "it must be")
    assert override.in_force(ledger.records(place), "d", "g") is None
    ledger.keep_outcome(place, "c", PASSES, [], ledger.records(place))
    assert override.in_force(ledger.records(place), "c", "g") is None


def test_the_same_verdict_of_another_clone_takes_no_override_away() -> None:
    """A server judges what a person does, in the same second or with a clock of its own."""

    def kept(name: str, kind: str, /, **what: Any) -> Kept:
        return Kept(name, kind, "c", "g", "w", {**RIGHT, "rules": "r", **what})

    failed: list[dict[str, Any]] = [{"rule": "threshold", "verdict": "fail", "why": "bad"}]
    mine = kept("1", "verdict", passed=False, verdicts=failed)
    through = kept("2", "override", verdict="1", name="Ann", reason="meant")
    for theirs, holds in (({"verdicts": failed}, True), ({}, False), ({"rules": "s"}, False)):
        other = kept("3", "verdict", **{"passed": False, **theirs})
        assert (override.in_force([mine, through, other], "c", "g") is not None) is holds
    assert override.in_force([through, mine._replace(id="4")], "c", "g") is None


@pytest.mark.parametrize(("reason", "name"), [("", "a"), (" ", "a"), ("a", ""), ("a", "\t")])
def test_an_override_needs_a_reason_and_a_name(reason: str, name: str, place: Place) -> None:
    with pytest.raises(UsageError, match="--override needs a"):
        override.let_through(place, "c", "g", "v", name=name, reason=reason)
    assert CHAIN.tip(place.git_root) is None


def test_data_that_nobody_looked_at_are_not_accepted(place: Place) -> None:
    def accepted(*verdicts: Verdict) -> bool:
        ledger.keep_outcome(place, "c", Outcome("g", verdicts), [], ledger.records(place))
        return accepts(ledger.records(place), "c", "g")

    size, shift = Verdict("size", "pass", ""), Verdict("shift", "pass", "")
    skipped = shift._replace(verdict="skipped")
    assert [accepted(size), accepted(size, shift), accepted(skipped, shift)] == [True] * 3
    assert not accepted(size, skipped)
    assert not accepted(size._replace(verdict="fail"), shift)


def test_a_record_says_who_and_when(place: Place) -> None:
    ledger.keep_outcome(place, "c", FAILS, [], [])
    (one,) = ledger.records(place)
    assert isinstance(one, Kept) and one.what["who"] == "Ann <ann@example.org>"
    assert json.loads(json.dumps(one.what))["verdicts"][0]["why"] == "bad"
    assert one.when == one.what["when"] and one.when.endswith("Z")


def test_nothing_is_kept_that_is_not_in_the_audit_log(place: Place) -> None:
    empty = git.run(place.git_root, "mktree", stdin=b"").decode().strip()
    other = git.run(place.git_root, "commit-tree", empty, "-m", "x", env=AUTHOR).decode().strip()
    git.run(place.git_root, "update-ref", log.REF, other)  # nothing can be added to that
    with pytest.raises(MlxError, match="holds no event"):
        ledger.keep_outcome(place, "c", FAILS, [], [])
    with pytest.raises(MlxError, match="holds no event"):
        ledger.keep_override(place, "c", "g", {"reason": "r"})
    assert ledger.records(place) == []
    git.run(place.git_root, "update-ref", "-d", log.REF)
    name = ledger.keep_outcome(place, "c", FAILS, [], ledger.records(place))
    assert [one.what["record"] for one in log.read(place.git_root)] == [name]

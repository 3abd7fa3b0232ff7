"""Logs of several clones come together; what a remote did to its log is found."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlxkit.audit import log
from mlxkit.audit.carry import Carried, fetch, push
from mlxkit.audit.event import Kind
from mlxkit.audit.memory import REF
from mlxkit.audit.verify import verify
from mlxkit.core.errors import MlxError, RemoteError
from mlxkit.tools import git_remote

from .conftest import fill, git


@pytest.fixture
def clones(new_repo: Callable[[str], str], tmp_path: Path) -> tuple[str, str, str]:
    """A bare repository, and two that have it as `origin`."""
    top = str(tmp_path / "top.git")
    git(tmp_path, "init", "-q", "--bare", top)
    a, b = new_repo("a"), new_repo("b")
    for one in (a, b):
        git(one, "remote", "add", "origin", top)
    return top, a, b


def test_nothing_to_carry(clones: tuple[str, str, str]) -> None:
    top, a, _ = clones
    assert push(a) is None
    assert fetch(a) == Carried("origin", 0)
    assert git(top, "for-each-ref") == git(a, "for-each-ref") == ""


def test_there_and_back(clones: tuple[str, str, str]) -> None:
    top, a, b = clones
    fill(a, 3)
    assert push(a) == Carried("origin", 3)
    assert push(a) == Carried("origin", 0)
    assert git(top, "rev-parse", REF) == git(a, "rev-parse", REF)
    assert fetch(b) == Carried("origin", 3)
    assert fetch(b) == Carried("origin", 0)
    assert log.read(b) == log.read(a)
    assert verify(b) == []
    fill(b, 1)
    assert push(b) == Carried("origin", 1)
    assert fetch(a) == Carried("origin", 1)
    assert [event.number for event in log.read(a)] == [1, 2, 3, 4]


def test_grown_apart(clones: tuple[str, str, str]) -> None:
    """Both have their own events, twice: two merges, nothing rewritten, the same for all."""
    _, a, b = clones
    first = fill(a, 2) + fill(b, 3)
    push(a)
    push(b)
    mine = [log.append(a, Kind.APPROVED, {"model": "m"}), *first]
    log.append(b, Kind.OVERRIDE, {})
    push(b)
    assert push(a) != Carried("origin", 0)
    fetch(b)
    assert git(a, "rev-parse", REF) == git(b, "rev-parse", REF)
    assert verify(a) == verify(b) == []
    events = log.read(a)
    assert [event.kind for event in events].count(Kind.MERGED) == 2
    assert len(events) == 5 + 2 + 2
    assert {entry.digest for entry in mine} <= {
        entry.digest for entry in log.entries(b, lambda _: True)
    }
    merge = next(event for event in reversed(events) if event.kind == Kind.MERGED)
    assert len(set(merge.what["tips"])) == 2
    assert merge.number == 1 + max(event.number for event in events if event != merge)


def test_somebody_is_faster(clones: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Between our look at the remote and our push another clone pushes: both are in the end."""
    _, a, b = clones
    fill(a, 1)
    fill(b, 1)
    waiting = [b]
    real = git_remote.push

    def late(root: str, *rest: Any) -> None:
        if root == a and waiting:
            push(waiting.pop())
        real(root, *rest)

    monkeypatch.setattr(git_remote, "push", late)
    push(a)
    assert len(log.read(a)) == 3
    assert fetch(b) == Carried("origin", 2)
    assert verify(b) == []


def test_hooks_do_not_run(clones: tuple[str, str, str]) -> None:
    _, a, _ = clones
    hook = Path(a, ".git", "hooks", "pre-push")
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    fill(a, 1)
    assert push(a) == Carried("origin", 1)


def test_cut_short_at_the_remote(clones: tuple[str, str, str]) -> None:
    top, a, b = clones
    fill(a, 3)
    push(a)
    git(top, "update-ref", REF, f"{REF}~2")
    told = fetch(a)
    assert told
    assert told.events == 0
    assert "cut short: it lacks 2" in told.note
    assert push(a) == Carried("origin", 2)
    fetched = fetch(b)
    assert fetched
    assert fetched.events == 3


def test_gone_at_the_remote(clones: tuple[str, str, str]) -> None:
    """Even where our own log is cut as well: what was seen there comes back."""
    top, a, _ = clones
    fill(a, 3)
    push(a)
    git(top, "update-ref", "-d", REF)
    git(a, "update-ref", REF, f"{REF}~2")
    told = fetch(a)
    assert told
    assert "is gone" in told.note
    assert len(log.read(a)) == 3
    assert verify(a) == []
    assert push(a) == Carried("origin", 3)


def test_replaced_at_the_remote(clones: tuple[str, str, str]) -> None:
    top, a, b = clones
    fill(a, 2)
    push(a)
    fill(b, 2)
    git(b, "push", "-q", "--force", "origin", f"{REF}:{REF}")
    fill(a, 1)
    for carry in (fetch, push):
        with pytest.raises(MlxError, match="replaced"):
            carry(a)
    assert len(log.read(a)) == 3
    assert verify(a) == []
    assert git(top, "rev-parse", REF) == git(b, "rev-parse", REF)


def test_a_damaged_log_is_not_taken_over(clones: tuple[str, str, str]) -> None:
    top, a, b = clones
    first = fill(a, 1)[0]
    push(a)
    git(top, "config", "user.name", "Eve")
    git(top, "config", "user.email", "eve@example.org")
    tree = git(top, "rev-parse", f"{REF}^{{tree}}")
    lie = git(top, "commit-tree", tree, "-p", first.commit, "-m", "gc 1")
    git(top, "update-ref", REF, lie)
    for one in (a, b):
        with pytest.raises(MlxError, match="damaged"):
            fetch(one)
        assert verify(one) == []
    assert log.read(b) == []


def test_a_lost_end_comes_back(clones: tuple[str, str, str]) -> None:
    _, a, _ = clones
    fill(a, 3)
    push(a)
    git(a, "update-ref", REF, f"{REF}~1")
    assert len(verify(a)) == 2
    fetch(a)
    assert verify(a) == []
    assert len(log.read(a)) == 3


def test_no_remote_and_one_that_is_not_there(repo: str) -> None:
    fill(repo, 1)
    assert fetch(repo) is None
    assert push(repo) is None
    git(repo, "remote", "add", "origin", "/nowhere/at/all")
    for carry in (fetch, push):
        with pytest.raises(RemoteError, match="origin") as failure:
            carry(repo)
        assert "/nowhere/at/all" in str(failure.value)


def test_a_remote_that_refuses(clones: tuple[str, str, str]) -> None:
    top, a, _ = clones
    git(top, "config", "receive.denyNonFastForwards", "true")
    hook = Path(top, "hooks", "update")
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    fill(a, 1)
    with pytest.raises(RemoteError, match="origin"):
        push(a)

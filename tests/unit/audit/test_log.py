"""Events are appended: each once, in order, whoever else writes, and nothing else changes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlxkit import __version__
from mlxkit.audit import log
from mlxkit.audit.event import Kind, Person, digest, encode
from mlxkit.audit.verify import verify
from mlxkit.core.errors import MlxError

from .conftest import CONFIG, fill, git

HELPER = """
import sys
from mlxkit.audit import log
from mlxkit.audit.event import Kind
sys.stdin.readline()
for number in range(20):
    log.append(sys.argv[1], Kind.APPROVED, {"by": sys.argv[2], "n": number})
"""


def test_one_event_a_commit(repo: str) -> None:
    assert log.read(repo) == []
    first, second = fill(repo, 2)
    assert [first.event, second.event] == log.read(repo)
    event = second.event
    assert (event.kind, event.what, event.number, event.mlx) == ("gc", {"n": 1}, 2, __version__)
    assert event.who == Person("Ann", "ann@example.org")
    assert event.previous == first.digest == digest(encode(first.event))
    assert git(repo, "show", f"{log.REF}:event.json").encode() == encode(event)
    told = git(repo, "log", "--format=%an <%ae> %at|%cn <%ce> %ct|%s", "-1", log.REF)
    stamp = f"Ann <ann@example.org> {event.seconds}"
    assert told == f"{stamp}|{stamp}|gc 2"
    assert git(repo, "rev-list", "--parents", log.REF).splitlines()[0].split()[1:] == [first.commit]


def test_nothing_else_changes(repo: str) -> None:
    """Not the index, the branch, the files, and no hook runs."""
    Path(repo, "a").write_text("1")
    git(repo, "add", "a")
    git(repo, "commit", "-qm", "x")
    Path(repo, "a").write_text("2")
    git(repo, "add", "a")
    hooks = Path(repo, ".git", "hooks")
    hooks.mkdir(exist_ok=True)
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "pre-push"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {repo}/hook-ran\nexit 1\n")
        (hooks / name).chmod(0o755)
    before = (Path(repo, ".git", "index").read_bytes(), git(repo, "status", "--porcelain"))
    head = git(repo, "rev-parse", "HEAD")
    fill(repo, 2)
    assert (Path(repo, ".git", "index").read_bytes(), git(repo, "status", "--porcelain")) == before
    assert git(repo, "rev-parse", "HEAD") == head
    assert verify(repo) == []


def test_from_a_subfolder_and_a_worktree(repo: str, tmp_path: Path) -> None:
    git(repo, "commit", "-q", "--allow-empty", "-m", "x")
    git(repo, "worktree", "add", "-q", str(tmp_path / "tree"))
    fill(repo, 1)
    log.append(str(tmp_path / "tree"), Kind.OVERRIDE, {})
    os.makedirs(f"{repo}/sub")
    log.append(f"{repo}/sub", Kind.OVERRIDE, {})
    assert [event.number for event in log.read(repo)] == [1, 2, 3]
    assert verify(repo) == verify(str(tmp_path / "tree")) == []


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@given(name=NAMES)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_name_of_a_user(name: str, repo: str) -> None:
    """What Git makes of a name is what both the event and its commit have."""
    git(repo, "config", "user.name", f"x{name}")
    git(repo, "config", "user.email", f"{name}@example.org")
    entry = log.append(repo, Kind.APPROVED, {"name": name})
    assert entry.event.who.name.startswith("x")
    assert verify(repo) == []


def test_a_user_unknown_to_git(repo: str, git_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    (git_home / "gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    try:
        with pytest.raises(MlxError, match="does not know who you are") as failure:
            fill(repo, 1)
        assert "user.email" in str(failure.value.hint)
        (git_home / "gitconfig").write_text("")
        assert fill(repo, 1)[0].event.who.name
        assert verify(repo) == []
    finally:
        (git_home / "gitconfig").write_text(CONFIG)


def test_two_processes_lose_nothing(repo: str) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", HELPER, repo, name], stdin=subprocess.PIPE)
        for name in ("a", "b")
    ]
    for one in running:
        assert one.stdin
        one.stdin.write(b"\n")
        one.stdin.flush()
    assert [one.wait() for one in running] == [0, 0]
    for one in running:
        assert one.stdin
        one.stdin.close()
    events = log.read(repo)
    assert [event.number for event in events] == list(range(1, 41))
    for name in ("a", "b"):
        mine = [event.what["n"] for event in events if event.what["by"] == name]
        assert mine == list(range(20))
    assert verify(repo) == []


def test_a_ref_moved_by_another_program(repo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between our look at the tip and our write, Git itself moves the ref: we start anew."""
    fill(repo, 1)
    other = fill(repo, 1)[0]
    git(repo, "update-ref", log.REF, f"{log.REF}~1")
    moves = iter([other.commit])
    real = log._write

    def write(*args: object) -> str:
        made = real(*args)  # type: ignore[arg-type]
        for commit in moves:
            git(repo, "update-ref", log.REF, commit)
        return made

    monkeypatch.setattr(log, "_write", write)
    entry = log.append(repo, Kind.GC, {"mine": True})
    assert entry.event.number == 3
    assert entry.event.previous == other.digest
    assert verify(repo) == []


def test_a_ref_that_cannot_be_written(repo: str) -> None:
    fill(repo, 1)
    git(repo, "update-ref", "-d", log.REF)
    git(repo, "update-ref", f"{log.REF}/below", git(repo, "hash-object", "-w", "/dev/null"))
    with pytest.raises(MlxError, match="update-ref"):
        fill(repo, 1)


def test_newest_first_and_limited(repo: str) -> None:
    fill(repo, 6)
    found = log.entries(repo, lambda event: event.what["n"] % 2 == 0, limit=2)
    assert [entry.event.what["n"] for entry in found] == [4, 2]


def test_a_user_without_a_name(repo: str, monkeypatch: pytest.MonkeyPatch, git_home: Path) -> None:
    """As in a container that runs with any number for its user."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    done = subprocess.run(
        [sys.executable, "-c", NAMELESS, repo], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("unknown <unknown@"), done.stderr


NAMELESS = """
import os, pwd, sys
def none(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")
pwd.getpwuid = none
from mlxkit.audit.log import identity
os.environ.update(GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="user.name", GIT_CONFIG_VALUE_0="")
print(identity(sys.argv[1]))
"""

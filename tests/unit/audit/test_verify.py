"""What somebody did to the log is found; what is whole is called so."""

import json
import os
import re
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlxkit.audit import log
from mlxkit.audit.event import Event, Kind, decode, encode
from mlxkit.audit.link import subject
from mlxkit.audit.verify import Fault, Problem, examine, verify

from .conftest import fill, git

QUICK = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


def _event(data: bytes) -> Event | None:
    try:
        return decode(data)
    except (ValueError, RecursionError):
        return None


def write(root: str, data: bytes, parents: Sequence[str], **changes: str) -> str:
    """Write a commit of the log by hand, with the stamps of its event unless told otherwise."""
    event = _event(data)
    blob = git(root, "hash-object", "-w", "--stdin", stdin=data)
    tree = git(root, "mktree", stdin=f"100644 blob {blob}\tevent.json\n".encode())
    stamp = {}
    for role in ("AUTHOR", "COMMITTER"):
        stamp[f"GIT_{role}_NAME"] = event.who.name if event else "x"
        stamp[f"GIT_{role}_EMAIL"] = event.who.email if event else "x"
        stamp[f"GIT_{role}_DATE"] = f"@{event.seconds if event else 1} +0000"
    text = changes.pop("message", subject(event) if event else "x\n")
    options = [word for one in parents for word in ("-p", one)]
    tree = changes.pop("tree", tree)
    return git(
        root, "commit-tree", tree, *options, stdin=text.encode(), **{**stamp, **changes}
    )  # fmt: skip


def rebuild(root: str, events: Sequence[bytes]) -> None:
    """Make a log of these bytes, one commit after the other, and forget the old one's end."""
    tip: list[str] = []
    for data in events:
        tip = [write(root, data, tip)]
    git(root, "update-ref", log.REF, *tip)
    forget(root)


def forget(root: str) -> None:
    """As if no end of the log had ever been seen here."""
    os.unlink(f"{root}/.git/mlx/audit-tip")


def kept(root: str) -> list[bytes]:
    """The events' bytes, oldest first."""
    return [encode(event) for event in log.read(root)]


def kinds(root: str) -> list[tuple[str, int | None]]:
    """What is wrong, and at which events."""
    return [(one.kind, one.number) for one in verify(root)]


def test_whole_and_empty(repo: str) -> None:
    assert verify(repo) == []
    fill(repo)
    assert verify(repo) == []
    rebuild(repo, kept(repo))
    assert examine(repo) == (5, 0, 0, ())


@given(data=st.data())
@QUICK
def test_removed(data: st.DataObject, repo: str) -> None:
    git(repo, "update-ref", "-d", log.REF)
    fill(repo, 5)
    events = kept(repo)
    gone = data.draw(st.integers(0, 3))
    rebuild(repo, events[:gone] + events[gone + 1 :])
    assert kinds(repo) == [("chain", gone + 2)]


@given(order=st.permutations(range(5)))
@QUICK
def test_reordered(order: list[int], repo: str) -> None:
    git(repo, "update-ref", "-d", log.REF)
    fill(repo, 5)
    events = kept(repo)
    rebuild(repo, [events[number] for number in order])
    found = verify(repo)
    assert bool(found) == (order != sorted(order))
    assert {one.kind for one in found} <= {Fault.CHAIN}


FIELDS: dict[str, Callable[[Any], Any]] = {
    "what": lambda what: {**what, "n": 99},
    "who": lambda who: {**who, "name": "Bob"},
    "when": lambda when: "2001-01-01T00:00:00.000Z",
    "kind": lambda kind: "override",
    "mlx": lambda mlx: "9",
}


@given(number=st.integers(0, 3), field=st.sampled_from(sorted(FIELDS)))
@QUICK
def test_changed(number: int, field: str, repo: str) -> None:
    """A changed event, its commit made to fit: the one after it tells."""
    git(repo, "update-ref", "-d", log.REF)
    fill(repo, 5)
    events = kept(repo)
    document = json.loads(events[number])
    document[field] = FIELDS[field](document[field])
    events[number] = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    rebuild(repo, events)
    assert kinds(repo) == [("chain", number + 2)]


@given(number=st.integers(0, 4))
@QUICK
def test_all_made_anew(number: int, repo: str) -> None:
    """Every digest fits: only the end that was seen before tells."""
    git(repo, "update-ref", "-d", log.REF)
    (Path(repo) / ".git/mlx/audit-tip").unlink(missing_ok=True)
    fill(repo, 5)
    assert verify(repo) == []
    events = log.read(repo)
    events[number] = events[number]._replace(what={"n": "other"})
    tip: list[str] = []
    before = ""
    for event in events:
        data = encode(event._replace(previous=before))
        tip, before = [write(repo, data, tip)], log.digest(data)
    git(repo, "update-ref", log.REF, *tip)
    assert kinds(repo) == [("tip", 5)]
    assert "replaced" in verify(repo)[0].why


def test_cut_short(repo: str) -> None:
    last = fill(repo, 5)[-1]
    git(repo, "update-ref", log.REF, f"{log.REF}~2")
    (problem,) = verify(repo)
    assert problem[:3] == (Fault.TIP, 5, last.commit)
    assert "cut short" in problem.why
    # What is added afterwards does not hide it.
    log.append(repo, Kind.GC, {})
    assert kinds(repo) == [("tip", 5)]
    git(repo, "update-ref", "-d", log.REF)
    assert "whole log was removed" in verify(repo)[0].why
    git(repo, *problem_hint(verify(repo)[0]))
    assert verify(repo) == []


def problem_hint(problem: Problem) -> list[str]:
    """The Git command that a problem tells the user to run."""
    return problem.why.partition("run: git ")[2].split()


@pytest.mark.parametrize("what", ["", "{", "[]", '{"commit": "x"}', "\0"])
def test_a_damaged_memory(what: str, repo: str) -> None:
    fill(repo, 2)
    (Path(repo) / ".git/mlx/audit-tip").write_text(what)
    assert kinds(repo) == [("tip", None)]
    fill(repo, 1)
    assert kinds(repo) == [("tip", None)]


def test_a_remote_had_more(repo: str) -> None:
    last = fill(repo, 3)[-1]
    git(repo, "update-ref", "refs/mlx/remotes/origin/audit", last.commit)
    git(repo, "update-ref", log.REF, f"{log.REF}~1")
    forget(repo)
    (problem,) = verify(repo)
    assert problem[:3] == (Fault.TIP, 3, last.commit)
    assert "origin had it" in problem.why


COMMITS: dict[str, tuple[dict[str, str], str]] = {
    "author": ({"GIT_AUTHOR_NAME": "Bob"}, "author is Bob <ann@"),
    "author's address": ({"GIT_AUTHOR_EMAIL": "b@c"}, "author is Ann <b@c>"),
    "author's date": ({"GIT_AUTHOR_DATE": "@1000000000 +0000"}, "author date"),
    "committer": ({"GIT_COMMITTER_NAME": "Bob"}, "committer is Bob"),
    "committer's date": ({"GIT_COMMITTER_DATE": "@1000000000 +0000"}, "committer date"),
    "message": ({"message": "promoted 1\n"}, "message"),
}


@pytest.mark.parametrize("what", COMMITS)
def test_a_commit_that_tells_another_story(what: str, repo: str) -> None:
    changes, why = COMMITS[what]
    fill(repo, 2)
    first, second = kept(repo)
    git(repo, "update-ref", log.REF, write(repo, second, [write(repo, first, [], **changes)]))
    forget(repo)
    (problem,) = verify(repo)
    assert (problem.kind, problem.number) == (Fault.EVENT, 1)
    assert why in problem.why


def test_other_files_in_a_commit(repo: str) -> None:
    fill(repo, 1)
    (data,) = kept(repo)
    blob = git(repo, "hash-object", "-w", "--stdin", stdin=data)
    tree = git(
        repo,
        "mktree",
        stdin=f"100644 blob {blob}\tevent.json\n100644 blob {blob}\tx\n".encode(),
    )
    git(repo, "update-ref", log.REF, write(repo, data, [], tree=tree))
    forget(repo)
    assert "not just one event.json" in verify(repo)[0].why


EVENT = (
    b'{"format":1,"kind":"gc","mlx":"1","number":1,"previous":"","what":{"a":%b},'
    b'"when":"2026-01-02T03:04:05.678Z","who":{"email":"e","name":"n"}}'
)


@pytest.mark.parametrize("data", [
    b"", b"no event", b'{"format":1}', EVENT % b"NaN", EVENT % rb'"\ud800"',
    EVENT % (b"[" * 100_000 + b"]" * 100_000), EVENT % (b"9" * 5000),
], ids=["nothing", "text", "no fields", "nan", "half a character", "deep", "long"])  # fmt: skip
def test_a_commit_without_an_event(data: bytes, repo: str) -> None:
    """It is named, the rest can still be read, and nothing is added on top."""
    fill(repo, 2)
    commit = write(repo, data, [git(repo, "rev-parse", log.REF)])
    git(repo, "update-ref", log.REF, commit)
    (problem,) = verify(repo)
    assert problem[:3] == (Fault.EVENT, None, commit)
    assert len(log.read(repo)) == 2
    with pytest.raises(log.MlxError, match="holds no event"):
        fill(repo, 1)


def test_a_time_of_many_digits(repo: str) -> None:
    fill(repo, 1)
    data = git(repo, "cat-file", "commit", log.REF).encode() + b"\n"
    head = re.sub(rb"> [0-9]+ ", b"> " + b"9" * 5000 + b" ", data)
    odd = git(repo, "hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=head)
    Path(repo, ".git", "refs", "mlx", "audit").write_text(odd + "\n")
    assert {one.why for one in verify(repo) if one.kind is Fault.EVENT} >= {
        "the commit has no readable author", "the commit has no readable committer"
    }  # fmt: skip


def _loose(root: str, name: str) -> Path:
    path = Path(root, ".git", "objects", name[:2], name[2:])
    path.chmod(0o644)
    return path


@pytest.mark.parametrize("spec", ["~1", "~1^{tree}", "~1:event.json"])
@pytest.mark.parametrize("how", ["gone", "cut", "other content", "other size"])
def test_damage_in_gits_objects(spec: str, how: str, repo: str) -> None:
    fill(repo, 3)
    path = _loose(repo, git(repo, "rev-parse", f"{log.REF}{spec}"))
    content = zlib.decompress(path.read_bytes())
    if how == "gone":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:20])
    elif how == "other size":
        kind, _, size = content.partition(b"\0")[0].partition(b" ")
        rest = content.partition(b"\0")[2]
        path.write_bytes(zlib.compress(b"%b %d\0%b" % (kind, int(size) * 9, rest)))
    else:
        path.write_bytes(zlib.compress(content[:-1] + bytes([content[-1] ^ 1])))
    found = verify(repo)
    assert found
    assert {one.kind for one in found} <= {Fault.EVENT, Fault.CHAIN, Fault.TIP}


def test_a_replacement_hides_nothing(repo: str) -> None:
    """`git replace` shows other content under an id: the log is read without."""
    entries = fill(repo, 3)
    other = write(repo, encode(entries[1].event._replace(what={"n": "lie"})), [entries[0].commit])
    git(repo, "replace", entries[1].commit, other)
    assert [event.what["n"] for event in log.read(repo)] == [0, 1, 2]
    assert verify(repo) == []


def test_two_parents_need_a_merge(repo: str) -> None:
    first = fill(repo, 1)[0]
    git(repo, "update-ref", "-d", log.REF)
    second = fill(repo, 1)[0]
    data = encode(_after(first, Kind.GC, {}))
    git(repo, "update-ref", log.REF, write(repo, data, [first.commit, second.commit]))
    forget(repo)
    assert kinds(repo) == [("chain", 2)]
    lie = encode(_after(first, Kind.MERGED, {"tips": [first.digest, first.digest]}))
    git(repo, "update-ref", log.REF, write(repo, lie, [first.commit, second.commit]))
    assert kinds(repo) == [("chain", 2)]
    good = encode(_after(first, Kind.MERGED, {"tips": [first.digest, second.digest]}))
    git(repo, "update-ref", log.REF, write(repo, good, [first.commit, second.commit]))
    assert kinds(repo) == []
    git(repo, "update-ref", log.REF, write(repo, good, [first.commit]))
    forget(repo)
    assert kinds(repo) == [("chain", 2)]


def _after(entry: log.Entry, kind: Kind, what: dict[str, Any]) -> Event:
    event = entry.event
    return event._replace(kind=str(kind), what=what, previous=entry.digest, number=event.number + 1)


def test_the_future_is_no_fault(repo: str) -> None:
    """A clock that was wrong is no crime."""
    first = fill(repo, 1)[0]
    late = _after(first, Kind.GC, {})._replace(when="2099-01-01T00:00:00.000Z")
    tip = write(repo, encode(late), [first.commit])
    git(repo, "update-ref", log.REF, tip)
    assert verify(repo) == []
    assert fill(repo, 1)[0].event.number == 3
    assert verify(repo) == []
    assert sorted(event.number for event in log.read(repo)) == [1, 2, 3]

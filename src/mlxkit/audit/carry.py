"""Carries the log to and from a Git remote; nothing on either side is ever rewritten."""

import random
import time
from typing import NamedTuple

from mlxkit.audit.link import read_link, walk
from mlxkit.audit.log import SETTINGS, holds, join, tip_of
from mlxkit.audit.memory import REF, remote_ref
from mlxkit.audit.signatures import Signature, check_signatures
from mlxkit.audit.verify import Problem, judge, place_of
from mlxkit.core.errors import MlxError, RemoteError
from mlxkit.tools import git, git_remote
from mlxkit.tools.git_objects import ObjectReader
from mlxkit.tools.git_remote import Behind, Remote

_ATTEMPTS = 12


class Carried(NamedTuple):
    """How many events came from or went to a remote; `note` is what the user should know."""

    remote: str
    events: int
    note: str = ""


def fetch(git_root: str) -> Carried | None:
    """Bring the remote's events into the log; None where there is no remote.

    Raises RemoteError where the remote cannot be read, MlxError where its log is damaged or is
    another than it was: then nothing of it is taken over.
    """
    remote = git_remote.choose_remote(git_root)
    if remote is None:
        return None
    with git_remote.named(remote):
        return _fetch(git_root, remote)


def push(git_root: str) -> Carried | None:
    """Send the log's events to the remote; None where there is no remote, or no log.

    Where the remote has others, they are fetched and joined first. It is not asked when it had
    everything the last time. Raises as `fetch` does.
    """
    tip = tip_of(git_root)
    remote = git_remote.choose_remote(git_root) if tip is not None else None
    if remote is None:
        return None
    with git_remote.named(remote):
        return _push(git_root, remote)


def _push(git_root: str, remote: Remote) -> Carried:
    note = ""
    for attempt in range(_ATTEMPTS):
        seen = tip_of(git_root, remote_ref(remote.name))
        tip = tip_of(git_root)
        if tip is None or tip == seen:
            return Carried(remote.name, 0, note)
        try:
            git_remote.push(git_root, remote, REF, tip)
        except Behind:
            if attempt:
                time.sleep(random.uniform(0, 0.05 * attempt))
            note = _fetch(git_root, remote).note or note
        else:
            _ask(git_root, "update-ref", remote_ref(remote.name), tip)
            return Carried(remote.name, _count(git_root, tip, seen), note)
    raise RemoteError("others push to it all the time")


def _fetch(git_root: str, remote: Remote) -> Carried:
    seen = tip_of(git_root, remote_ref(remote.name))
    # Not yet as the remote's: what is remembered as that, but is not in the log, counts as lost.
    incoming = f"refs/mlx/incoming/{remote.name}/audit"
    if not git_remote.fetch(git_root, remote, REF, incoming):
        return Carried(remote.name, 0, _gone(git_root, remote.name, seen))
    theirs = tip_of(git_root, incoming)
    assert theirs is not None
    tip = tip_of(git_root)
    try:
        if theirs == seen and tip and holds(git_root, tip, theirs):
            return Carried(remote.name, 0)
        note = _regress(git_root, remote.name, theirs, seen)
        new = _count(git_root, theirs, tip)
        _check(git_root, remote.name, theirs, tip)
        join(git_root, theirs)
        if note and seen:
            join(git_root, seen)  # so that the next push can send again what is lost there
        _ask(git_root, "update-ref", remote_ref(remote.name), theirs)
    finally:
        _ask(git_root, "update-ref", "-d", incoming)
    return Carried(remote.name, new, note)


def _gone(git_root: str, remote: str, seen: str | None) -> str:
    if seen is None:
        return ""
    join(git_root, seen)
    _ask(git_root, "update-ref", "-d", remote_ref(remote))
    return "its audit log is gone: it was there before"


def _regress(git_root: str, remote: str, theirs: str, seen: str | None) -> str:
    """Compare a remote's log with what it was; what was cut off can be sent again."""
    if seen is None or holds(git_root, theirs, seen):
        return ""
    if holds(git_root, seen, theirs):
        lost = _count(git_root, seen, theirs)
        return f"its audit log was cut short: it lacks {lost} that it had"
    raise MlxError(
        "its audit log was replaced: it does not hold what it held before; "
        "nothing of it was taken over",
        hint=f"compare: git log {remote_ref(remote)}   git log {theirs}",
    )


def _check(git_root: str, remote: str, theirs: str, tip: str | None) -> None:
    """Refuse a log that is not whole: joined in, what is wrong there would be wrong here."""
    ours = _ask(git_root, "rev-list", tip).decode("ascii").split() if tip else []
    known = frozenset(ours)
    with ObjectReader(git_root) as objects:
        links = list(walk(objects, [theirs], known))[::-1]
        border = {one for link in links for one in link.parents if one in known}
        before = {one: read_link(objects, one) for one in border}
    problems: list[Problem] = judge(links, before)
    signed = check_signatures(git_root, [one.commit for one in links if one.signed])
    where = [place_of(one) for one in problems]
    why = [one.why for one in problems]
    for commit in (one for one, said in signed.items() if said is Signature.BAD):
        where.append(f"commit {commit[:12]}")
        why.append("its signature is bad")
    if why:
        raise MlxError(
            f"its audit log is damaged ({where[0]}: {why[0]}); nothing of it was taken over",
            hint=f"look at it: git fetch {remote} {REF} && git log FETCH_HEAD",
        )


def _count(git_root: str, tip: str, without: str | None) -> int:
    ranges = [tip, *([f"^{without}"] if without else [])]
    return int(_ask(git_root, "rev-list", "--count", *ranges))


def _ask(git_root: str, *args: str) -> bytes:
    env = {"GIT_NO_REPLACE_OBJECTS": "1"}
    return git.run(git_root, *args, env=env, settings=SETTINGS)

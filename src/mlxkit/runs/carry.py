"""Carries run records to and from the Git remote, so that clones know each other's runs."""

import random
import time
from typing import NamedTuple

from mlxkit.core.errors import RemoteError
from mlxkit.runs.ledger import listed, name_of, tip
from mlxkit.runs.merge import merge
from mlxkit.runs.repository import REF, ask, commits, identify
from mlxkit.tools import git_remote
from mlxkit.tools.git_remote import Behind, Remote

_ATTEMPTS = 12
_CHAINS = "refs/mlx/"


class Carried(NamedTuple):
    """How many records went to or came from the remote; `refused` are not what they should be.

    `ids` names those that were sent.
    """

    remote: str
    records: int
    refused: int = 0
    ids: tuple[str, ...] = ()


def seen(remote: str) -> str:
    """Return the ref that keeps what the remote's chain was when we last looked."""
    return f"refs/mlx/remotes/{remote}/runs"


def fetch_records(root: str) -> Carried | None:
    """Bring the remote's records into our chain; None where there is no remote.

    Raises RemoteError where the remote does not answer, MlxError.
    """
    remote = git_remote.choose_remote(root)
    if remote is None:
        return None
    with git_remote.named(remote):
        return _fetch(root, remote)


def push_records(root: str) -> Carried | None:
    """Send our records to the remote; None where there is no remote, or there are no records.

    Where the remote has others, they are fetched and joined first: nothing of either is lost. The
    remote is not asked when it had everything the last time. Raises RemoteError, MlxError.
    """
    ours = tip(root)
    remote = git_remote.choose_remote(root) if ours is not None else None
    if ours is None or remote is None:
        return None
    with git_remote.named(remote):
        return _push(root, remote)


def pushed_before(root: str) -> tuple[bool, Carried | None]:
    """Tell whether no chain (records, verdicts, ...) has news, and what a push then comes to.

    By one look at all of them: each by itself would ask Git five times. Raises MlxError.
    """
    told = ask(root, "for-each-ref", "--format=%(refname) %(objectname)", _CHAINS)
    lines = (line.removeprefix(_CHAINS).rpartition(" ") for line in told.decode().splitlines())
    tips = {name: commit for name, _, commit in lines}
    ours = {name: commit for name, commit in tips.items() if not name.startswith("remotes/")}
    remote = git_remote.choose_remote(root) if ours else None
    if remote is None:
        return True, None
    sent = all(tips.get(f"remotes/{remote.name}/{name}") == ours[name] for name in ours)
    return sent, Carried(remote.name, 0)


def _push(root: str, remote: Remote) -> Carried:
    refused = 0
    for attempt in range(_ATTEMPTS):
        known = commits(root, [seen(remote.name)]).get(seen(remote.name))
        ours = tip(root)
        if ours is None or known == ours:  # sent by another process meanwhile
            return Carried(remote.name, 0, refused)
        try:
            git_remote.push(root, remote, REF, ours)
        except Behind:
            if attempt:
                time.sleep(random.uniform(0, 0.05 * attempt))
            refused += _fetch(root, remote).refused
        else:
            ask(root, "update-ref", seen(remote.name), ours)
            ids = _sent(root, known, ours)
            return Carried(remote.name, len(ids), refused, ids)
    raise RemoteError("others push to it all the time")


def _fetch(root: str, remote: Remote) -> Carried:
    if not git_remote.fetch(root, remote, REF, seen(remote.name)):
        if commits(root, [seen(remote.name)]):
            ask(root, "update-ref", "-d", seen(remote.name))  # the remote was made anew
        return Carried(remote.name, 0)
    merged = merge(root, seen(remote.name), identify(root))
    return Carried(remote.name, merged.added, merged.refused)


def _sent(root: str, before: str | None, now: str) -> tuple[str, ...]:
    paths = listed(root, before, now, "runs")
    return tuple(sorted(named[1] for path in paths if (named := name_of(path))))

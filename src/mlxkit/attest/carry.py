"""Carries attestations to and from the Git remote, beside the records of runs."""

import random
import time
from collections.abc import Callable
from typing import NamedTuple

from mlxkit.attest.ledger import REF, count, merge, tip
from mlxkit.core.errors import MlxError, RemoteError
from mlxkit.runs.repository import ask, commits, identify
from mlxkit.tools import git_remote
from mlxkit.tools.git_remote import Behind, Remote

_ATTEMPTS = 12


class Carried(NamedTuple):
    """How many came from or went to the remote; `refused` are not what they should be."""

    remote: str
    attestations: int
    refused: int = 0


def fetch(root: str) -> Carried | None:
    """Bring the remote's attestations into our chain; None where there is no remote.

    Raises RemoteError where the remote does not answer, MlxError.
    """
    remote = git_remote.choose_remote(root)
    return _with(root, _fetch, remote) if remote else None


def push(root: str) -> Carried | None:
    """Send ours to the remote; None where there is no remote, or there are none.

    Where the remote has others, they are fetched and joined first. Raises as `fetch` does.
    """
    remote = git_remote.choose_remote(root) if tip(root) is not None else None
    return _with(root, _push, remote) if remote else None


def seen(remote: str) -> str:
    """Return the ref that keeps what the remote's chain was when we last looked."""
    return f"refs/mlx/remotes/{remote}/attestations"


def _with(root: str, act: Callable[[str, Remote], Carried], remote: Remote) -> Carried:
    """Say of an error which remote it was."""
    try:
        return act(root, remote)
    except MlxError as error:
        error.where = error.where or f"remote '{remote.name}'"
        raise


def _push(root: str, remote: Remote) -> Carried:
    refused = 0
    for attempt in range(_ATTEMPTS):
        known = commits(root, [seen(remote.name)]).get(seen(remote.name))
        ours = tip(root)
        if ours is None or known == ours:
            return Carried(remote.name, 0, refused)
        try:
            git_remote.push(root, remote, REF, ours)
        except Behind:
            if attempt:
                time.sleep(random.uniform(0, 0.05 * attempt))
            refused += _fetch(root, remote).refused
        else:
            ask(root, "update-ref", seen(remote.name), ours)
            return Carried(remote.name, count(root, known, ours), refused)
    raise RemoteError("others push to it all the time")


def _fetch(root: str, remote: Remote) -> Carried:
    if not git_remote.fetch(root, remote, REF, seen(remote.name)):
        if commits(root, [seen(remote.name)]):
            ask(root, "update-ref", "-d", seen(remote.name))  # the remote was made anew
        return Carried(remote.name, 0)
    merged = merge(root, seen(remote.name), identify(root))
    return Carried(remote.name, merged.added, merged.refused)

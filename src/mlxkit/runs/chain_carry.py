"""Carries a chain of documents to and from the Git remote, beside the records of runs."""

import random
import time
from collections.abc import Callable
from typing import NamedTuple

from mlxkit.core.errors import MlxError, RemoteError
from mlxkit.runs.chain import Chain
from mlxkit.runs.repository import ask, commits, identify
from mlxkit.tools import git_remote
from mlxkit.tools.git_remote import Behind, Remote

_ATTEMPTS = 12


class Carried(NamedTuple):
    """How many came from or went to the remote; `refused` are not what they should be."""

    remote: str
    documents: int
    refused: int = 0


def fetch(root: str, chain: Chain) -> Carried | None:
    """Bring the remote's documents into our chain; None where there is no remote.

    Raises RemoteError where the remote does not answer, MlxError.
    """
    remote = git_remote.choose_remote(root)
    return _with(root, _fetch, remote, chain) if remote else None


def push(root: str, chain: Chain) -> Carried | None:
    """Send ours to the remote; None where there is no remote, or there are none.

    Where the remote has others, they are fetched and joined first. Raises as `fetch` does.
    """
    remote = git_remote.choose_remote(root) if chain.tip(root) is not None else None
    return _with(root, _push, remote, chain) if remote else None


def seen(remote: str, chain: Chain) -> str:
    """Return the ref that keeps what the remote's chain was when we last looked."""
    return f"refs/mlx/remotes/{remote}/{chain.ref.removeprefix('refs/mlx/')}"


def _with(
    root: str, act: Callable[[str, Remote, Chain], Carried], remote: Remote, chain: Chain
) -> Carried:
    """Say of an error which remote it was."""
    try:
        return act(root, remote, chain)
    except MlxError as error:
        error.where = error.where or f"remote '{remote.name}'"
        raise


def _push(root: str, remote: Remote, chain: Chain) -> Carried:
    refused = 0
    ref = seen(remote.name, chain)
    for attempt in range(_ATTEMPTS):
        known = commits(root, [ref]).get(ref)
        ours = chain.tip(root)
        if ours is None or known == ours:
            return Carried(remote.name, 0, refused)
        try:
            git_remote.push(root, remote, chain.ref, ours)
        except Behind:
            if attempt:
                time.sleep(random.uniform(0, 0.05 * attempt))
            refused += _fetch(root, remote, chain).refused
        else:
            ask(root, "update-ref", ref, ours)
            return Carried(remote.name, chain.count(root, known, ours), refused)
    raise RemoteError("others push to it all the time")


def _fetch(root: str, remote: Remote, chain: Chain) -> Carried:
    ref = seen(remote.name, chain)
    if not git_remote.fetch(root, remote, chain.ref, ref):
        if commits(root, [ref]):
            ask(root, "update-ref", "-d", ref)  # the remote was made anew
        return Carried(remote.name, 0)
    merged = chain.merge(root, ref, identify(root))
    return Carried(remote.name, merged.added, merged.refused)

"""Many references at once to and from a Git remote, each with what became of it."""

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mlxkit.core.errors import RemoteError
from mlxkit.tools.git_remote import Remote, ask

_AT_ONCE = 500


class Pushed(NamedTuple):
    """What became of a reference: `sent`, `same`, `diverged`, or `refused` for the reason `why`."""

    outcome: str
    why: str = ""


def list_refs(root: str, remote: Remote, under: str) -> dict[str, str]:
    """Return the ids of a remote's references below `under`; raises RemoteError."""
    told = ask(root, remote, "ls-remote", "--refs", remote.name, f"{under}/*")
    found = {}
    for line in told.splitlines():
        commit, _, ref = line.partition("\t")
        found[ref] = commit
    return found


def fetch_refs(root: str, remote: Remote, wanted: Mapping[str, str]) -> None:
    """Set our references to what the remote's are (theirs -> ours), all or none.

    Raises RemoteError.
    """
    pairs = [f"+{theirs}:{ours}" for theirs, ours in wanted.items()]
    quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
    for start in range(0, len(pairs), _AT_ONCE):
        part = pairs[start:][:_AT_ONCE]
        ask(root, remote, "fetch", *quiet, "--refmap=", remote.name, *part)


def push_refs(
    root: str, remote: Remote, refs: Mapping[str, str | None], *, force: bool
) -> dict[str, Pushed]:
    """Set a remote's references to commits; None deletes one. Return what became of each.

    Raises RemoteError where the remote as a whole cannot be used.
    """
    pairs = [f"{commit or ''}:{ref}" for ref, commit in refs.items()]
    quiet = ("--porcelain", "--no-verify", "--no-follow-tags", *(("--force",) if force else ()))
    found: dict[str, Pushed] = {}
    for start in range(0, len(pairs), _AT_ONCE):
        part = pairs[start:][:_AT_ONCE]
        told = ask(root, remote, "push", *quiet, remote.name, *part, ok=(0, 1))
        found.update(_outcomes(told.splitlines()))
    lacking = refs.keys() - found.keys()
    if lacking:
        raise RemoteError(f"it said nothing of {min(lacking)}", where=f"remote '{remote.name}'")
    return found


def _outcomes(lines: Iterable[str]) -> Iterable[tuple[str, Pushed]]:
    for line in lines:
        flag, _, rest = line.partition("\t")
        pair, _, why = rest.partition("\t")
        ref = pair.partition(":")[2]
        if not ref:
            continue  # who it was sent to, and how it ended
        if flag == "=":
            yield ref, Pushed("same")
        elif flag != "!":
            yield ref, Pushed("sent")
        elif "non-fast-forward" in why or "fetch first" in why:
            yield ref, Pushed("diverged")
        else:
            yield ref, Pushed("refused", os.fsdecode(why.encode("utf-8", "replace")))

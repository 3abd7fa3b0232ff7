"""The tip of the log that was last seen, kept outside of it: so a log cut short is found."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from mlxkit.core.files import write_atomic
from mlxkit.tools import git

REF = "refs/mlx/audit"
REMOTES = "refs/mlx/remotes"
"""Below it, a remote's log as it was last seen: refs/mlx/remotes/origin/audit."""


class Seen(NamedTuple):
    """A tip: its commit, its event's digest and number."""

    commit: str
    digest: str
    number: int


def remote_ref(remote: str) -> str:
    """Return the ref that remembers a remote's log."""
    return f"{REMOTES}/{remote}/audit"


def folder(git_root: str) -> str:
    """Return mlx's own folder inside the `.git` that all worktrees share; raises MlxError."""
    common = git.run(git_root, "rev-parse", "--git-common-dir")
    return os.path.join(git_root, os.fsdecode(common.rstrip(b"\n")), "mlx")


@contextmanager
def alone(git_root: str, what: str = "audit") -> Iterator[str]:
    """Hold other processes of mlx off the log meanwhile; yields the folder of what it keeps.

    `what` names another thing that one process has at a time.

    Where the file system has no locks, the ref's own compare-and-swap must do.
    """
    import fcntl

    place = folder(git_root)
    os.makedirs(place, exist_ok=True)
    fd = os.open(os.path.join(place, f"{what}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
        except OSError:
            pass
        yield place
    finally:
        os.close(fd)


def recall(place: str) -> Seen | None:
    """Return the tip last seen, or None where none was; raises ValueError for a damaged file."""
    try:
        with open(os.path.join(place, "audit-tip"), "rb") as file:
            document = json.loads(file.read())
        return Seen(str(document["commit"]), str(document["digest"]), int(document["number"]))
    except FileNotFoundError:
        return None
    except (KeyError, TypeError) as error:
        raise ValueError(f"{error}") from None


def remember(place: str, tip: Seen) -> None:
    """Keep the tip; raises OSError."""
    data = json.dumps(tip._asdict(), sort_keys=True).encode() + b"\n"
    write_atomic(os.path.join(place, "audit-tip"), data)


def remote_tips(git_root: str) -> dict[str, str]:
    """Return the tips of the remotes' logs as last seen, by remote; raises MlxError."""
    listed = git.run(git_root, "for-each-ref", "--format=%(objectname) %(refname)", REMOTES)
    tips = {}
    for line in os.fsdecode(listed).splitlines():
        commit, _, ref = line.partition(" ")
        name = ref.removeprefix(f"{REMOTES}/")
        if name.endswith("/audit"):
            tips[name.removesuffix("/audit")] = commit
    return tips

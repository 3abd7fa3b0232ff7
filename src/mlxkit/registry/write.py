"""Writes tags: annotated, signed where the user signs, each name given once; and pushes them."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from mlxkit.audit.memory import folder
from mlxkit.core.errors import MlxError, RemoteError, UsageError
from mlxkit.tools import git, git_remote
from mlxkit.versions.state import Model
from mlxkit.versions.tags import SIGNED


class Taken(MlxError):
    """The name of the tag is in use: another process, or the remote, was faster."""

    code = "taken"


class Tag(NamedTuple):
    """A tag that was written, and its object."""

    name: str
    id: str


@contextmanager
def alone(git_root: str) -> Iterator[None]:
    """Hold other processes of mlx off the tags meanwhile.

    Where the file system has no locks, Git's refusal to write a tag twice must do.
    """
    import fcntl

    place = folder(git_root)
    os.makedirs(place, exist_ok=True)
    fd = os.open(os.path.join(place, "models.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
        except OSError:
            pass
        yield
    finally:
        os.close(fd)


def next_counter(model: Model | None) -> int:
    """Return the next number of a model's tags: as in GTO, one row of numbers for all of them."""
    events = model.events if model is not None else ()
    return 1 + max((one.meaning.counter or 0 for one in events), default=0)


def write(git_root: str, name: str, commit: str, text: str, model: Model | None) -> Tag:
    """Write an annotated tag; raises Taken where it is there, MlxError where Git cannot.

    Time decides what is in a stage, in GTO, too, and counts in seconds: so a tag is never as old
    as one of the same model before it, whatever the clocks say.
    """
    newest = max((one.time for one in (model.events if model is not None else ())), default=0)
    now = int(time.time())
    env = {"GIT_COMMITTER_DATE": f"@{newest + 1} +0000"} if newest >= now else None
    try:
        git.run(
            git_root,
            *("tag", "--annotate", "--cleanup=verbatim", "--file=-", name, commit),
            stdin=text.encode("utf-8", "surrogateescape"),
            env=env,
        )
    except git.GitError as error:
        if "already exists" in error.said or "cannot lock ref" in error.said:
            raise Taken(f"there is a tag {name} already", hint="repeat: it was just made") from None
        raise _explained(git_root, name, error) from None
    found = git.run(git_root, "rev-parse", "--verify", f"refs/tags/{name}").decode("ascii").strip()
    tag = Tag(name, found)
    if _signs(git_root) and not SIGNED.search(_text(git_root, tag)):
        # Some versions of Git say that they could not sign, and write the tag all the same.
        withdraw(git_root, tag)
        raise _unsigned(name, "Git wrote no signature: is the key there?")
    return tag


def withdraw(git_root: str, tag: Tag) -> None:
    """Delete a tag that was just written, if it is still the same; raises MlxError."""
    git.run(git_root, "update-ref", "-d", f"refs/tags/{tag.name}", tag.id)


def remote_for(git_root: str, name: str) -> git_remote.Remote:
    """Return the remote to push to; "" is that of the branch. Raises UsageError."""
    if name:
        return git_remote.find_remote(git_root, name)
    found = git_remote.choose_remote(git_root)
    if found is None:
        raise UsageError(
            "there is no Git remote to push to", hint="add one: git remote add origin URL"
        )
    return found


def push(git_root: str, tag: Tag, remote: git_remote.Remote) -> None:
    """Push a tag; raises Taken where the remote has another of that name, and RemoteError."""
    ref = f"refs/tags/{tag.name}"
    told = git_remote.ask(
        git_root,
        remote,
        *("push", "--porcelain", "--no-verify", "--no-follow-tags", remote.name, f"{ref}:{ref}"),
        ok=(0, 1),
    )
    for line in told.splitlines():
        if line.startswith("!"):
            why = line.split("\t")[-1]
            if "already exists" in why or "rejected" in why:
                raise Taken(
                    f"'{remote.name}' has another tag {tag.name}; nothing was changed",
                    hint=f"fetch it: git fetch {remote.name} --tags   and repeat",
                )
            raise RemoteError(f"'{remote.name}' did not take the tag {tag.name}: {why}")


def _explained(git_root: str, name: str, error: git.GitError) -> MlxError:
    why = " ".join(error.said.split()) or error.message
    if "Please tell me who you are" in error.said or "empty ident" in error.said:
        return MlxError(
            f"the tag {name} was not written: Git does not know who you are",
            hint="run: git config user.name NAME; git config user.email ADDRESS",
        )
    if _signs(git_root):
        return _unsigned(name, why)
    return MlxError(f"the tag {name} was not written: {why}", hint="see: git fsck")


def _unsigned(name: str, why: str) -> MlxError:
    return MlxError(
        f"the tag {name} was not written: it could not be signed: {why}",
        hint="see: git config --get-regexp 'gpg|sign'",
    )


def _signs(git_root: str) -> bool:
    """Tell whether the user wants tags to be signed."""
    asked = (
        git.run(git_root, "config", "--bool", name, ok=(0, 1, 128)).strip()
        for name in ("tag.gpgSign", "tag.forceSignAnnotated")
    )
    return b"true" in asked


def _text(git_root: str, tag: Tag) -> str:
    return git.run(git_root, "cat-file", "tag", tag.id).decode("utf-8", "replace")

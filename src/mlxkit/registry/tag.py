"""Makes tags: annotated, signed where the user signs; and pushes them, never over another."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from mlxkit.audit.memory import folder
from mlxkit.core.errors import MlxError, RemoteError, UsageError
from mlxkit.tools import git, git_remote
from mlxkit.versions.grammar import parse
from mlxkit.versions.state import Model
from mlxkit.versions.tags import SIGNED

_SHA256 = "[core]\n repositoryFormatVersion = 1\n[extensions]\n objectFormat = sha256\n"
_SIGNING = ("tag.gpgsign", "tag.forcesignannotated")
_YES = ("true", "yes", "on", "1")
_TOLD = r"^((user|author|committer|gpg|tag)\.|core\.(sharedrepository|fsync))"
"""Settings that say who makes a tag, how it is signed, and how an object is written."""


class Taken(MlxError):
    """The name of the tag is in use: another process, or the remote, was faster."""

    code = "taken"


class Tag(NamedTuple):
    """A tag, and its object."""

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


def next_counter(git_root: str, model: str) -> int:
    """Return the next number of a model's tags: as in GTO, one row of numbers for all of them.

    Also of tags that say nothing, being lightweight: their names are in use.
    """
    told = git.run(git_root, "for-each-ref", "--format=%(refname)", "refs/tags/")
    names = (os.fsdecode(one).removeprefix("refs/tags/") for one in told.splitlines())
    known = (meaning for meaning in map(parse, names) if meaning and meaning.model == model)
    return 1 + max((one.counter or 0 for one in known), default=0)


def make(git_root: str, name: str, commit: str, text: str, model: Model | None) -> Tag:
    """Make an annotated tag as an object that no ref names yet; raises MlxError.

    Time decides what is in a stage, in GTO, too, and counts in seconds: so a tag is never as old
    as one of the same model before it, whatever the clocks say.
    """
    newest = max((one.time for one in (model.events if model is not None else ())), default=0)
    date = {"GIT_COMMITTER_DATE": f"@{newest + 1} +0000"} if newest >= int(time.time()) else {}
    settings = _settings(git_root)
    signs = any(_is_yes(settings.get(key, "no")) for key in _SIGNING)
    with _apart(git_root, commit) as env:
        try:
            git.run(
                git_root,
                *("tag", "--annotate", "--cleanup=verbatim", "--file=-", name, commit),
                stdin=text.encode("utf-8", "surrogateescape"),
                env={**env, **date},
                settings=(k if v is None else f"{k}={v}" for k, v in settings.items()),
            )
        except git.GitError as error:
            raise _explained(name, error, signs) from None
        found = git.run(git_root, "rev-parse", "--verify", f"refs/tags/{name}", env=env)
    tag = Tag(name, found.decode("ascii").strip())
    made = git.run(git_root, "cat-file", "tag", tag.id).decode("utf-8", "replace")
    if signs and not SIGNED.search(made):
        # Some versions of Git say that they could not sign, and write the tag all the same.
        raise _unsigned(name, "Git wrote no signature: is the key there?")
    return tag


@contextmanager
def _apart(git_root: str, commit: str) -> Iterator[dict[str, str]]:
    """Yield an environment in which refs are written to a folder that goes, objects to stay.

    For only `git tag` can sign as the user does, and it writes a ref at once.
    """
    objects = os.fsdecode(git.run(git_root, "rev-parse", "--git-path", "objects").rstrip(b"\n"))
    place = os.path.join(folder(git_root), "making-tag")
    shutil.rmtree(place, ignore_errors=True)  # of a process that was killed
    os.makedirs(os.path.join(place, "refs"))
    for name, said in (
        ("HEAD", "ref: refs/heads/none\n"),
        ("config", _SHA256 if len(commit) == 64 else ""),
    ):
        with open(os.path.join(place, name), "w", encoding="ascii") as file:
            file.write(said)
    try:
        yield {"GIT_DIR": place, "GIT_OBJECT_DIRECTORY": os.path.join(git_root, objects)}
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _settings(git_root: str) -> dict[str, str | None]:
    """Return the user's settings that make a tag, for where the repository's are not read.

    None is one without a value, which means yes.
    """
    told = git.run(git_root, "config", "-z", "--get-regexp", _TOLD, ok=(0, 1))
    pairs = (one.partition("\n") for one in os.fsdecode(told).split("\0") if one)
    return {key: value if mark else None for key, mark, value in pairs}


def _is_yes(value: str | None) -> bool:
    return value is None or value.lower() in _YES


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
    what = f"{tag.id}:refs/tags/{tag.name}"
    told = git_remote.ask(
        git_root,
        remote,
        *("push", "--porcelain", "--no-verify", "--no-follow-tags", remote.name, what),
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


def _explained(name: str, error: git.GitError, signs: bool) -> MlxError:
    why = " ".join(error.said.split()) or error.message
    if "Please tell me who you are" in error.said or "empty ident" in error.said:
        return MlxError(
            f"the tag {name} was not written: Git does not know who you are",
            hint="run: git config user.name NAME; git config user.email ADDRESS",
        )
    if signs:
        return _unsigned(name, why)
    return MlxError(f"the tag {name} was not written: {why}", hint="see: git fsck")


def _unsigned(name: str, why: str) -> MlxError:
    return MlxError(
        f"the tag {name} was not written: it could not be signed: {why}",
        hint="see: git config --get-regexp 'gpg|sign'",
    )

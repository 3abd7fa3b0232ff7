"""Talks to Git remotes about refs that are no branches: which remote, fetch one, push one."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from mlxkit.core.errors import MlxError, RemoteError, UsageError
from mlxkit.tools import git

_SETTINGS = (
    "core.hooksPath=/dev/null",  # hooks are for the user's own commits
    "gc.auto=0",
    "maintenance.auto=false",
    "push.recurseSubmodules=no",
    "push.gpgSign=false",
    "push.followTags=false",
    # A server that is not there must not keep us waiting for minutes.
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=30",
)
_SSH = "ssh -o ConnectTimeout=20"
_MARKS = ("fatal: ", "error: ", "ERROR: ")
_RACES = ("fetch first", "non-fast-forward", "lock", "failed to update ref", "incorrect old value")
"""What Git says when somebody else was faster; in English, which we ask it to speak."""


class Remote(NamedTuple):
    """A remote of a repository, and how to call it without being asked for a password."""

    name: str
    env: Mapping[str, str]


@contextmanager
def named(remote: Remote) -> Iterator[None]:
    """Say of an error which remote it was."""
    try:
        yield
    except MlxError as error:
        error.where = error.where or f"remote '{remote.name}'"
        raise


class Behind(MlxError):
    """The remote has something that is not in what was to be pushed."""


def choose_remote(root: str) -> Remote | None:
    """Return the remote of the branch's upstream, else `origin`, else the only one, else None."""
    found = _settings(root)
    names = _names(found)
    head = git.run(root, "symbolic-ref", "-q", "HEAD", ok=(0, 1)).decode(errors="surrogateescape")
    upstream = found.get(f"branch.{head.strip().removeprefix('refs/heads/')}.remote", "")
    only = next(iter(names)) if len(names) == 1 else ""
    name = next((one for one in (upstream, "origin", only) if one in names), None)
    return Remote(name, _environment("core.sshcommand" in found)) if name else None


def find_remote(root: str, name: str) -> Remote:
    """Return the remote of that name; also a URL or a folder is one. Raises UsageError."""
    found = _settings(root)
    known = _names(found)
    place = name in known or ":" in name or "/" in name or os.path.isdir(name)
    if not place or name.startswith("-"):
        there = f"remotes: {', '.join(sorted(known))}" if known else "see: git remote add --help"
        raise UsageError(f"there is no Git remote '{name}'", hint=there)
    return Remote(name, _environment("core.sshcommand" in found))


def remote_names(root: str) -> list[str]:
    """Return the names of the remotes, sorted."""
    return sorted(_names(_settings(root)))


def fetch(root: str, remote: Remote, ref: str, into: str) -> bool:
    """Make `into` what the remote's `ref` is; tell whether it has one. Raises RemoteError."""
    try:
        ask(
            root,
            remote,
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
            *("--refmap=", remote.name, f"+{ref}:{into}"),
        )
    except RemoteError as error:
        if error.message.startswith("couldn't find remote ref"):
            return False
        raise
    return True


def push(root: str, remote: Remote, ref: str, commit: str) -> None:
    """Let the remote's `ref` go on to `commit`; raises Behind, RemoteError."""
    told = ask(
        root,
        remote,
        *("push", "--porcelain", "--no-verify", "--no-follow-tags", remote.name),
        f"{commit}:{ref}",
        ok=(0, 1),
    )
    for line in told.splitlines():
        if line.startswith("!"):
            why = line.split("\t")[-1]
            kind = Behind if any(word in why for word in _RACES) else RemoteError
            raise kind(_reason(why))


def ask(root: str, remote: Remote, *args: str, ok: tuple[int, ...] = (0,)) -> str:
    """Return what a command of Git's that talks to a remote prints; raises RemoteError."""
    try:
        told = git.run(root, *args, env=remote.env, settings=_SETTINGS, ok=ok)
    except git.GitError as error:
        raise RemoteError(_reason(error.said) or error.message) from None
    return told.decode(errors="replace")


def _settings(root: str) -> dict[str, str]:
    told = git.run(
        root,
        *("config", "-z", "--get-regexp"),
        r"^(remote\..*\.(url|pushurl)|branch\..*\.remote|core\.sshcommand)$",
        ok=(0, 1),
    )
    found = {}
    for line in told.decode(errors="surrogateescape").split("\0"):
        key, _, value = line.partition("\n")
        found[key] = value
    return found


def _names(settings: Mapping[str, str]) -> set[str]:
    return {key[7:].rpartition(".")[0] for key in settings if key.startswith("remote.")}


def _reason(said: str) -> str:
    """Return the line that says why, of all that Git, programs below it and the server wrote."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    chosen = [line for line in lines if line.startswith(_MARKS)] or lines[-1:]
    if not chosen:
        return ""
    vague = "Could not read from remote" in chosen[0] and lines[0] != chosen[0]
    line = lines[0] if vague else chosen[0]
    for mark in _MARKS:
        line = line.removeprefix(mark)
    return "".join(one if one.isprintable() else "?" for one in line)


def _environment(own_ssh: bool) -> dict[str, str]:
    """Speak English, for what was said is read; ask no question where nobody can answer."""
    env = {"LC_ALL": "C"}
    ssh = _SSH
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "GCM_INTERACTIVE": "never"}
        ssh += " -o BatchMode=yes"
    if not own_ssh and not {"GIT_SSH", "GIT_SSH_COMMAND"} & os.environ.keys():
        env["GIT_SSH_COMMAND"] = ssh
    return env

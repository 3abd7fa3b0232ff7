"""Git's objects, read many at a time; a partial clone downloads what it lacks in one go."""

import os
from collections.abc import Iterable, Sequence
from typing import Final

from mlxkit.core.errors import MlxError
from mlxkit.tools import git

# Settings of the user's that would change what these commands print.
PLAIN: Final = (
    *("--no-replace-objects", "-c", "log.showSignature=false", "-c", "core.quotePath=false"),
    *("-c", "log.mailmap=false", "-c", "i18n.logOutputEncoding=UTF-8"),
)


def existing(root: str, ids: Iterable[str]) -> list[str]:
    """Return those ids that are commits which the repository has."""
    asked = list(dict.fromkeys(ids))
    if not asked:
        return []
    given = "".join(f"{one}\n" for one in asked).encode()
    lines = ask(root, "cat-file", "--batch-check", stdin=given).decode().splitlines()
    return [line.split()[0] for line in lines if line.split()[1:2] == ["commit"]]


def lookup(root: str, names: Sequence[str]) -> dict[str, str]:
    """Return the ids of the blobs that `COMMIT:PATH` name; those that are none are left out."""
    # A path with a line break cannot be asked for so, and no project has one; no commit has
    # what lies outside of the repository.
    asked = [one for one in dict.fromkeys(names) if "\n" not in one and ":../" not in one]
    if not asked:
        return {}
    if _promisors(root):
        return _listed(root, asked)
    given = "".join(f"{one}\n" for one in asked).encode("utf-8", "surrogateescape")
    lines = ask(root, "cat-file", "--batch-check", stdin=given).split(b"\n")[:-1]
    found = {}
    for name, line in zip(asked, lines, strict=True):
        parts = line.rsplit(b" ", 2)
        if len(parts) == 3 and parts[1] == b"blob" and parts[2].isdigit():
            found[name] = parts[0].decode()
    return found


def blobs(root: str, ids: Iterable[str]) -> dict[str, bytes]:
    """Return the content of blobs; those that the repository lacks are left out.

    In a partial clone what is missing is asked for at once, not one by one.
    """
    wanted = list(dict.fromkeys(ids))
    for remote in _promisors(root) if wanted else ():
        missing = set(wanted) - _present(root, wanted)
        if missing:
            _download(root, remote, sorted(missing))
            there = _present(root, wanted)
            wanted = [one for one in wanted if one in there]
    given = "".join(f"{one}\n" for one in wanted).encode()
    data = ask(root, "cat-file", "--batch", stdin=given) if wanted else b""
    found: dict[str, bytes] = {}
    at = 0
    for one in wanted:
        end = data.index(b"\n", at)
        header = data[at:end].split()
        at = end + 1
        if len(header) == 3:
            size = int(header[2])
            found[one] = data[at : at + size]
            at += size + 1
    return found


def _listed(root: str, names: Sequence[str]) -> dict[str, str]:
    """Look paths up in trees: to look at a blob, a partial clone would download it."""
    paths: dict[str, list[str]] = {}
    for name in names:
        commit, _, asked = name.partition(":")
        paths.setdefault(commit, []).append(asked)
    found = {}
    for commit, wanted in paths.items():
        if not existing(root, [git.commit_id(root, commit) or commit]):
            continue
        told = ask(root, "--literal-pathspecs", "ls-tree", "-z", commit, "--", *wanted)
        for line in told.split(b"\0"):
            about, _, path = line.partition(b"\t")
            if about.split()[1:2] == [b"blob"]:
                found[f"{commit}:{os.fsdecode(path)}"] = about.split()[2].decode()
    return found


def _present(root: str, ids: Sequence[str]) -> set[str]:
    """Return those blobs that are here, without downloading the others."""
    listed = ask(
        root,
        *("rev-list", "--no-walk", "--objects", "--ignore-missing", "--missing=print"),
        *("--no-object-names", "--stdin"),
        stdin="".join(f"{one}\n" for one in ids).encode(),
    )
    return set(listed.decode().split())


def _download(root: str, remote: str, ids: Sequence[str]) -> None:
    """Ask for all in one go; what still is missing afterwards will be said."""
    try:
        ask(
            root,
            *("-c", "fetch.negotiationAlgorithm=noop", "fetch", remote, "--no-tags", "--quiet"),
            *("--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", "--stdin"),
            stdin="".join(f"{one}\n" for one in ids).encode(),
        )
    except MlxError:
        pass


def _promisors(root: str) -> list[str]:
    if not any("promisor" in line for line in lines_of(os.path.join(git_folder(root), "config"))):
        return []
    listed = git.run(
        root, "config", "-z", "--get-regexp", r"^remote\..*\.promisor$", "true", ok=(0, 1)
    )
    lines = listed.decode(errors="surrogateescape").split("\0")
    return [line.partition("\n")[0][len("remote.") : -len(".promisor")] for line in lines if line]


def git_folder(root: str) -> str:
    """Return the folder that holds all worktrees' common files."""
    place = os.path.join(root, ".git")
    if os.path.isfile(place):
        return os.fsdecode(
            git.run(root, "rev-parse", "--path-format=absolute", "--git-common-dir").rstrip(b"\n")
        )
    return place


def lines_of(path: str) -> list[str]:
    """Return the lines of one of Git's own files, none where it is not there."""
    try:
        # Only Git's own line ends count: a message may have a form feed in it.
        with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
            return [line for line in file.read().split("\n") if line]
    except OSError:
        return []


def ask(root: str, *args: str, stdin: bytes | None = None) -> bytes:
    """Ask Git about history, whatever the user's settings; raises MlxError."""
    try:
        return git.run(root, *PLAIN, *args, stdin=stdin)
    except MlxError as error:
        said = error.message.partition("failed: ")[2] or error.message
        raise MlxError(f"Git cannot read the history: {said}", hint="see: git fsck") from error

"""Reads, straight from Git, every version of the files that name objects of the cache."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.tools import git

NAMING = ("*dvc.lock", "*.dvc", "*Dvcfile")
"""The files of DVC's that name objects, as Git's patterns, in which a star matches slashes, too."""

_BLOBS_AT_ONCE = 200
_SUBMODULE = b"160000"
# Settings of the user's that would change what these commands print.
_PLAIN = ("--no-replace-objects", "-c", "log.showSignature=false", "-c", "core.quotePath=false")


class Text(NamedTuple):
    """The content of one file that may name objects, and where it was found.

    `kind` is `file`, `index`, `commit`, `tip`, `run`, `record`, `snapshot`, `pin` or `link`.
    """

    kind: str
    where: str
    data: bytes


def history(root: str, *revisions: str, tips: Sequence[str] = ()) -> Iterator[Text]:
    """Every version of the naming files in the commits that `revisions` and `tips` reach.

    Also those that a merge dropped again.
    """
    if not revisions and not tips:
        return
    # Full history: by default Git passes over a branch whose merge changed nothing, and with it
    # over all that was ever recorded there. With -m, a merge shows what it changed itself.
    listed = _git(
        root,
        *("log", "--full-history", "-m", "--root", "--raw", "-z", "--no-abbrev", "--no-renames"),
        *("--no-color", "--no-show-signature", "--format=%x01%H", "--stdin"),
        *(*revisions, "--", *NAMING),
        stdin="".join(f"{tip}\n" for tip in tips).encode(),
    )
    yield from _texts(root, "commit", _changes(listed))


def at_trees(
    root: str,
    trees: Mapping[str, str],
    kind: str = "commit",
    patterns: Sequence[str] = NAMING,
) -> Iterator[Text]:
    """The files that match `patterns` as they are in `trees` (tree or commit id -> its name)."""
    if not trees:
        return
    nothing = _git(root, "hash-object", "-t", "tree", "--stdin", stdin=b"").decode().strip()
    found: dict[str, str] = {}
    names = dict(zip(_as_trees(root, list(trees)), trees.values(), strict=True))
    # The difference to an empty tree: one process lists them all.
    listed = _git(
        root,
        *("diff-tree", "--stdin", "-r", "--raw", "-z", "--no-abbrev", "--no-renames"),
        *("--no-color", "--", *patterns),
        stdin="".join(f"{nothing} {one}\n" for one in names).encode(),
    )
    name = ""
    parts = iter(listed.split(b"\0"))
    for part in parts:
        head, _, entry = part.rpartition(b"\n")
        if head:
            name = names.get(head.split()[-1].decode(), name)
        for blob, path, _ in _entry(entry, parts):
            found.setdefault(blob, f"{name} {path}")
    yield from _texts(root, kind, found)


def _as_trees(root: str, ids: Sequence[str]) -> list[str]:
    asked = "".join(f"{one}^{{tree}}\n" for one in ids).encode()
    listed = _git(root, "cat-file", "--batch-check", stdin=asked).decode()
    answers = [line.split() for line in listed.splitlines()]
    for one, answer in zip(ids, answers, strict=True):
        if len(answer) != 3:
            raise MlxError(f"the Git repository lacks {one}", hint="see: git fsck")
    return [answer[0] for answer in answers]


def indexed(root: str) -> Iterator[Text]:
    """The files as they are staged, in the index of every worktree."""
    listed = _git(root, "rev-list", "--objects", "--no-walk", "--indexed-objects")
    found: dict[str, str] = {}
    for line in listed.splitlines():
        blob, _, path = line.partition(b" ")
        if path.endswith((b"dvc.lock", b".dvc", b"Dvcfile")):
            found.setdefault(blob.decode(), os.fsdecode(path))
    yield from _texts(root, "index", found)


def worktrees(root: str) -> list[str]:
    """The folders of all worktrees that are there."""
    listed = _git(root, "worktree", "list", "--porcelain")
    found = [os.fsdecode(line[9:]) for line in listed.splitlines() if line[:9] == b"worktree "]
    return [path for path in found if os.path.exists(os.path.join(path, ".git"))]


def checked_out(root: str, patterns: Sequence[str] = NAMING) -> list[str]:
    """Paths of the matching files of a worktree, tracked by Git or new, that are there."""
    listed = _git(
        root, *("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns)
    )
    found = {os.path.join(root, os.fsdecode(path)) for path in listed.split(b"\0") if path}
    return sorted(path for path in found if os.path.isfile(path))


def refs(root: str, *prefixes: str) -> dict[str, str]:
    """Refs below `prefixes` (all without any) -> what they lead to in the end."""
    listed = _git(root, "for-each-ref", "--format=%(objectname) %(refname)", *prefixes)
    return {name: oid for oid, name in _pairs(listed)}


def kinds(root: str, names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Revisions -> (id, kind: commit, tree, blob) of what they lead to; unknown ones left out."""
    asked = list(names)
    if not asked:
        return {}
    given = "".join(f"{name}^{{}}\n" for name in asked).encode()
    lines = _git(root, "cat-file", "--batch-check", stdin=given).decode().splitlines()
    answers = [line.rsplit(" ", 2) for line in lines]
    return {
        name: (answer[0], answer[1])
        for name, answer in zip(asked, answers, strict=True)
        if len(answer) == 3 and answer[2].isdigit()
    }


def blobs(root: str, ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The content of each blob; raises MlxError where the repository lacks one."""
    for start in range(0, len(ids), _BLOBS_AT_ONCE):
        yield from git.read_objects(root, ids[start : start + _BLOBS_AT_ONCE]).items()


def _git(root: str, *args: str, stdin: bytes | None = None) -> bytes:
    """Ask Git, whatever the user's settings; raises MlxError where it cannot answer."""
    try:
        return git.run(root, *_PLAIN, *args, stdin=stdin)
    except MlxError as error:
        said = error.message.partition("failed: ")[2] or error.message
        raise MlxError(
            f"Git cannot tell which data is still needed: {said}",
            hint="see: git fsck   (what is missing may be fetched from where it was cloned)",
        ) from error


def _texts(root: str, kind: str, found: Mapping[str, str]) -> Iterator[Text]:
    for blob, data in blobs(root, list(found)):
        yield Text(kind, found[blob], data)


def _changes(listed: bytes) -> dict[str, str]:
    """Blobs of a log's raw lines -> the commit, shortened, and the path that first had them."""
    made: dict[str, str] = {}
    dropped: dict[str, str] = {}
    commit = ""
    parts = iter(listed.split(b"\0"))
    for part in parts:
        if part.startswith(b"\x01"):
            commit = part[1:8].decode()
        else:
            # Git lists the newest first: what comes later is nearer to where a blob began.
            for blob, path, is_new in _entry(part.lstrip(b"\n"), parts):
                (made if is_new else dropped)[blob] = f"{commit} {path}"
    return {**dropped, **made}


def _entry(part: bytes, parts: Iterator[bytes]) -> Iterator[tuple[str, str, bool]]:
    """Both sides of one raw line, as far as they are files, with the path that follows it."""
    if not part.startswith(b":"):
        return
    old_mode, new_mode, old, new, _ = part[1:].split()
    path = os.fsdecode(next(parts))
    for mode, blob, is_new in ((old_mode, old, False), (new_mode, new, True)):
        if mode != _SUBMODULE and blob.strip(b"0"):
            yield blob.decode(), path, is_new


def _pairs(listed: bytes) -> list[tuple[str, str]]:
    lines = listed.decode(errors="surrogateescape").splitlines()
    return [(first, second) for first, _, second in (line.partition(" ") for line in lines)]

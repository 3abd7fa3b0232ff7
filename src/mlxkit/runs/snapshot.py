"""The working tree as a Git commit, made beside the user's index, branches, stash and hooks."""

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.core.files import discard
from mlxkit.runs.record import Item
from mlxkit.runs.repository import Who, ask

LISTED = 100
"""So many of the files left out are named; of the others, only how many they are."""
_MOST_FILES = 5_000
_MOST_TIMES = 64
"""Untracked files are taken up to so many, and up to so many times the limit of one in all."""
_HASHED = 1 << 30
"""Bytes of files left out that are hashed at the most; what the index knows costs nothing."""

Hash = Callable[[str, bool], str | None]
"""Digest of a file by its path; without the flag, only if it is known without reading it."""


class Snapshot(NamedTuple):
    """The working tree at one moment: `commit` is HEAD then, None before the first commit.

    `id` is `commit` itself where nothing differs. `left_out` are files that are not in it.
    """

    commit: str | None
    id: str
    tree: str
    dirty: bool
    left_out: tuple[Item, ...] = ()
    left_out_more: int = 0


class Changes(NamedTuple):
    """How the working tree differs: from HEAD at all, and from the index by path.

    `submodules` have changes inside that no commit of theirs holds.
    """

    head: str | None
    any: bool
    write: list[str]
    remove: list[str]
    untracked: list[str]
    submodules: list[str]


def take_snapshot(root: str, scratch: str, limit: int, who: Who, hashed: Hash) -> Snapshot:
    """Return the working tree of the repository at `root` as a commit; raises MlxError, OSError.

    `scratch` is a folder for the temporary index; `limit` the size up to which an untracked file
    is taken.
    """
    changes = read_changes(
        ask(
            root,
            *("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all"),
            *("--no-renames", "--ignore-submodules=none"),
        )
    )
    index, head_tree = _places(root)
    if changes.head is not None and not changes.any:
        return Snapshot(changes.head, changes.head, head_tree, dirty=False)
    taken, left = choose(_sizes(root, changes.untracked), limit)
    left += [Item(path) for path in changes.submodules]
    write = [path for path in changes.write if os.access(os.path.join(root, path), os.R_OK)]
    left += [Item(path) for path in set(changes.write) - set(write) if _is_file(root, path)]
    tree = _write_tree(root, scratch, index, [*write, *taken], changes.remove)
    listed = _described(root, sorted(left, key=lambda one: one.path), hashed)
    more = max(0, len(left) - LISTED)
    if tree == head_tree and changes.head is not None:
        return Snapshot(changes.head, changes.head, tree, bool(left), listed, more)
    made = _commit(root, tree, changes.head, who)
    return Snapshot(changes.head, made, tree, True, listed, more)


def tracked_tree(root: str, scratch: str) -> tuple[str | None, str]:
    """Return HEAD, None before the first commit, and the tree of what Git tracks as it is now.

    Files that are not tracked, and what a submodule has not committed, are not in it. Raises
    MlxError, OSError.
    """
    changes = read_changes(
        ask(
            root,
            *("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=no"),
            *("--no-renames", "--ignore-submodules=none"),
        )
    )
    index, head_tree = _places(root)
    if not changes.any:
        return changes.head, head_tree
    write = [path for path in changes.write if os.access(os.path.join(root, path), os.R_OK)]
    return changes.head, _write_tree(root, scratch, index, write, changes.remove)


def read_changes(status: bytes) -> Changes:
    """Read what `git status --porcelain=v2 --branch -z` tells."""
    found = Changes(None, False, [], [], [], [])
    head = None
    for line in status.split(b"\0"):
        kind, _, rest = line.partition(b" ")
        if kind == b"#":
            name, _, value = rest.partition(b" ")
            if name == b"branch.oid" and value != b"(initial)":
                head = value.decode("ascii")
        elif kind == b"?":
            found.untracked.append(os.fsdecode(rest))
        elif kind in (b"1", b"u"):
            _sort_in(found, rest.split(b" ", 7 if kind == b"1" else 9), unmerged=kind == b"u")
    every = (found.write, found.remove, found.untracked, found.submodules)
    staged = any(line[:2] in (b"1 ", b"u ") for line in status.split(b"\0"))
    return found._replace(head=head, any=staged or any(every))


def choose(sizes: Iterable[tuple[str, int | None]], limit: int) -> tuple[list[str], list[Item]]:
    """Split untracked files into those that are taken and those that are left out.

    A size of None is of what cannot be taken. The smallest come first: sources before data.
    """
    taken: list[str] = []
    left: list[Item] = []
    room = _MOST_TIMES * limit
    for path, size in sorted(sizes, key=lambda one: (one[1] is None, one[1] or 0, one[0])):
        if size is None or size > limit or size > room or len(taken) >= _MOST_FILES:
            left.append(Item(path, size=size))
        else:
            taken.append(path)
            room -= size
    return taken, left


def _sort_in(found: Changes, fields: Sequence[bytes], *, unmerged: bool) -> None:
    how, submodule, path = fields[0], fields[1], os.fsdecode(fields[-1])
    mode = fields[5] if unmerged else fields[4]
    if submodule[:1] == b"S" and submodule[2:] != b"..":
        found.submodules.append(path)
        if submodule[1:2] != b"C":
            return
    if not unmerged and how[1:2] == b".":
        return  # the index holds it already
    (found.remove if mode == b"000000" else found.write).append(path)


def _places(root: str) -> tuple[str, str]:
    """Return the path of the user's index, and HEAD's tree (empty where there is no commit)."""
    told = ask(root, "rev-parse", "--git-path", "index", "HEAD^{tree}", ok=(0, 128))
    lines = os.fsdecode(told).split("\n")
    tree = lines[1] if len(lines) > 1 and "^" not in lines[1] else ""
    return os.path.join(root, lines[0]), tree


def _sizes(root: str, paths: Iterable[str]) -> Iterable[tuple[str, int | None]]:
    for path in paths:
        full = os.path.join(root, path)
        try:
            status = os.lstat(full)
        except OSError:
            continue  # gone meanwhile
        if path.endswith("/"):
            yield path.rstrip("/"), None  # a repository of its own
        elif stat.S_ISLNK(status.st_mode):
            yield path, 0
        elif stat.S_ISREG(status.st_mode) and os.access(full, os.R_OK):
            yield path, status.st_size
        else:
            yield path, None


def _is_file(root: str, path: str) -> bool:
    return os.path.lexists(os.path.join(root, path))


def _write_tree(
    root: str, scratch: str, index: str, write: Sequence[str], remove: Sequence[str]
) -> str:
    """Write the tree of the user's index with these paths as they are in the working tree."""
    os.makedirs(scratch, exist_ok=True)
    copy = os.path.join(scratch, f"index-{os.urandom(6).hex()}")
    env = {"GIT_INDEX_FILE": os.path.abspath(copy)}
    try:
        if os.path.exists(index):
            # With its time: by it Git knows which entries a later write could have slipped past.
            shutil.copy2(index, copy)
        if remove:
            ask(root, "update-index", "-z", "--force-remove", "--stdin", stdin=_z(remove), env=env)
        if write:
            ask(
                root,
                *("update-index", "-z", "--add", "--remove", "--replace", "--stdin"),
                stdin=_z(write),
                env=env,
            )
        return ask(root, "write-tree", env=env).decode("ascii").strip()
    finally:
        discard(copy)


def _z(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


def _commit(root: str, tree: str, head: str | None, who: Who) -> str:
    parent = f"parent {head}\n" if head else ""
    text = (
        f"tree {tree}\n{parent}author {who.line}\ncommitter {who.line}\n\n"
        "the working tree before a run\n"
    )
    made = ask(root, "hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode())
    return made.decode("ascii").strip()


def _described(root: str, left: Sequence[Item], hashed: Hash) -> tuple[Item, ...]:
    room = _HASHED
    found = []
    for item in left[:LISTED]:
        md5 = None
        if item.size is not None:
            read = item.size <= room
            try:
                md5 = hashed(os.path.join(root, item.path), read)
            except (MlxError, OSError):
                pass  # gone, or unreadable: its name is still worth telling
            room -= item.size if read else 0
        found.append(item._replace(md5=md5))
    return tuple(found)

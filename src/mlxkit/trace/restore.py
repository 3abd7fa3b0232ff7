"""Brings the working tree back to what it was before a stage was watched in it.

Only what the stage itself was seen to write is undone: whoever edits a file meanwhile keeps it.
"""

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mlxkit.core.files import discard
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import inside_any
from mlxkit.runs.repository import ask, identify
from mlxkit.runs.settings import load_settings
from mlxkit.runs.snapshot import Snapshot, take_snapshot

NEW, CHANGED, REMOVED = "new", "changed", "removed"
_STATES = {"A": NEW, "D": REMOVED}


class Undone(NamedTuple):
    """How Git's files differed after the stage; all paths absolute."""

    changes: Mapping[str, str]
    """What the stage was seen to do: new, changed or removed. It is undone."""
    others: Mapping[str, str]
    """What nobody was seen to do; it is left."""
    lost: tuple[str, ...] = ()
    """Large files that Git has no copy of: they stay as the stage left them."""


def look(session: RunSession) -> Snapshot | None:
    """Take a snapshot of the working tree, None without Git; raises MlxError, OSError."""
    if session.git_root is None:
        return None

    def hashed(path: str, read: bool) -> str | None:
        return None

    limit = load_settings(session.root).max_file_size
    who = identify(session.git_root)
    return take_snapshot(session.git_root, _scratch(session), limit, who, hashed)


def undo(session: RunSession, before: Snapshot | None, written: Iterable[str]) -> Undone:
    """Undo what the stage did to files that Git does not ignore; raises MlxError, OSError.

    `written` are the absolute paths of files that it was seen to write, move or remove.
    """
    top = session.git_root
    after = look(session)
    if before is None or after is None or top is None:
        return Undone({}, {})
    own = set(written)
    every = {os.path.join(top, path): how for path, how in _changes(top, before, after).items()}
    # A folder that was moved is one event, of the folder.
    folders = {path for path in own if os.path.isdir(path) or path not in every}
    changes = {path: how for path, how in every.items() if path in own or inside_any(path, folders)}
    for path, how in changes.items():
        if how == NEW:
            discard(path)
    kept = [os.path.relpath(path, top) for path, how in changes.items() if how != NEW]
    if kept:
        _bring_back(top, _scratch(session), before.tree, kept)
    large = {os.path.join(top, one.path) for one in before.left_out}
    others = {path: how for path, how in every.items() if path not in changes}
    return Undone(changes, others, tuple(sorted(own & large)))


def _changes(top: str, before: Snapshot, after: Snapshot) -> dict[str, str]:
    found = {}
    if before.tree != after.tree:
        told = ask(
            top, "diff-tree", "-r", "-z", "--no-renames", "--name-status", before.tree, after.tree
        )
        words = os.fsdecode(told).split("\0")
        found = {
            path: _STATES.get(state, CHANGED)
            for state, path in zip(words[::2], words[1::2], strict=False)
        }
    earlier = {one.path for one in before.left_out} | set(found)
    found |= {one.path: NEW for one in after.left_out if one.path not in earlier}
    return found


def _bring_back(top: str, scratch: str, tree: str, paths: list[str]) -> None:
    """Write files as a tree has them, through Git's filters; the user's index is not touched."""
    index = os.path.join(scratch, f"index-{os.urandom(6).hex()}")
    env = {"GIT_INDEX_FILE": os.path.abspath(index)}
    given = b"".join(os.fsencode(path) + b"\0" for path in paths)
    try:
        ask(top, "read-tree", tree, env=env)
        ask(top, "checkout-index", "-f", "-q", "-z", "--stdin", stdin=given, env=env)
    finally:
        discard(index)


def _scratch(session: RunSession) -> str:
    return os.path.join(session.root, ".mlx", "run")

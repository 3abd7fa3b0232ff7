"""The working tree's lock and `.dvc` files, where they differ from `HEAD`: a commit to come."""

import os
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from mlxkit.core import yaml
from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import MlxError
from mlxkit.data.history.versions import NAMING
from mlxkit.lineage import history
from mlxkit.lineage.facts import Facts, Reader
from mlxkit.lineage.history import Commit
from mlxkit.lineage.placed import Placed
from mlxkit.lineage.recipe import Unreadable
from mlxkit.lineage.schema import WORKTREE
from mlxkit.lineage.wdirs import literal
from mlxkit.lineage.writer import Writer, forget
from mlxkit.tools import git


class Look(NamedTuple):
    """The files that differ from `HEAD`, with their content (None: gone), and a digest of it."""

    files: dict[str, bytes | None]
    wdirs: dict[str, dict[str, str]]
    mark: str


def look(git_root: str) -> Look:
    """Read what differs; nothing is written, not even Git's index."""
    listed = git.run(
        git_root,
        *("--no-optional-locks", "status", "--porcelain=v1", "-z", "--untracked-files=all"),
        *("--no-renames", "--ignore-submodules=all", "--", *NAMING),
    )
    paths = [os.fsdecode(one[3:]) for one in listed.split(b"\0") if one]
    files = {path: _content(git_root, path) for path in paths if history.is_naming(path)}
    wdirs = {path: _wdirs(git_root, path) for path in files if path.endswith("dvc.lock")}
    told = [(path, md5_bytes(data or b"")) for path, data in sorted(files.items())]
    return Look(files, wdirs, md5_bytes(repr((told, wdirs)).encode()) if told else "")


def write(db: sqlite3.Connection, writer: Writer, reader: Reader, now: Look) -> bool:
    """Write what the files say that `HEAD` does not; tell whether there was something before."""
    had = bool(number(db))
    forget(db, [WORKTREE])
    if not now.files:
        return had
    added: dict[bytes, Placed] = {}
    notes = []
    for path, data in now.files.items():
        try:
            found = reader.of_text(path, data, now.wdirs.get(path)) if data is not None else []
        except (Unreadable, MlxError) as error:
            notes.append(f"{path}: skipped, it cannot be read: {error}")
            continue
        added |= {one.key: one for one in found}
    before = {one.key: one for found in reader.at("HEAD", now.files).values() for one in found}
    commit = Commit(WORKTREE, (), 0, "", "", "", ())
    new = tuple(one for key, one in added.items() if key not in before)
    there = {(out.path, out.md5) for one in before.values() for out in one.recipe.outs}
    introduced = {
        (out.path, out.md5): (out, one)
        for one in new
        for out in one.recipe.outs
        if out.md5 and (out.path, out.md5) not in there
    }
    if not (new or notes):
        return had
    writer.put(Facts(commit, new, tuple(introduced.values()), (), tuple(notes)))
    return had


def at(reader: Reader, now: Look, paths: Sequence[str]) -> dict[str, list[Placed]]:
    """Return what files of the working tree record, by their path."""
    found = reader.at("HEAD", [path for path in paths if path not in now.files])
    for path in paths:
        data = now.files.get(path)
        if data is not None:
            try:
                found[path] = reader.of_text(path, data, now.wdirs.get(path))
            except (Unreadable, MlxError):
                continue
    return found


def number(db: sqlite3.Connection) -> dict[str, int]:
    """Return the number that stands for the working tree, if it differs."""
    found = db.execute("SELECT id FROM commits WHERE oid = ?", (WORKTREE,)).fetchone()
    return {WORKTREE: found[0]} if found else {}


def _content(git_root: str, path: str) -> bytes | None:
    try:
        with open(os.path.join(git_root, path), "rb") as file:
            return file.read()
    except OSError:
        return None


def _wdirs(git_root: str, path: str) -> dict[str, str]:
    data = _content(git_root, path.removesuffix("lock") + "yaml")
    if data is None or b"wdir" not in data:
        return {}
    try:
        return literal(yaml.load(data))
    except MlxError:
        return {}

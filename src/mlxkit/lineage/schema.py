"""The file of the index: an SQLite database that can be deleted and built again at any time."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from mlxkit.core.errors import BusyError, MlxError
from mlxkit.core.files import discard
from mlxkit.pipeline.rundir import prepare_folder

VERSION: Final = 2
DEP, OUT = 0, 1
WORKTREE: Final = ""
"""The id that stands for the working tree, as a commit that is not made yet."""

_WAIT = 60.0  # seconds for another process that is reading history
_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE commits (id INTEGER PRIMARY KEY, oid TEXT UNIQUE, time INTEGER, date TEXT,
  author TEXT, subject TEXT, border INTEGER);
CREATE TABLE recipes (id INTEGER PRIMARY KEY, key BLOB UNIQUE, file TEXT, name TEXT, cmd TEXT,
  params TEXT);
CREATE TABLE things (id INTEGER PRIMARY KEY, md5 TEXT, path TEXT, size INTEGER);
CREATE UNIQUE INDEX things_md5 ON things (md5, path);
CREATE INDEX things_path ON things (path);
CREATE TABLE uses (recipe INTEGER, role INTEGER, place INTEGER, thing INTEGER,
  PRIMARY KEY (recipe, role, place)) WITHOUT ROWID;
CREATE INDEX uses_thing ON uses (thing, role);
CREATE TABLE added (recipe INTEGER, commit_id INTEGER,
  PRIMARY KEY (recipe, commit_id)) WITHOUT ROWID;
CREATE TABLE introduced (thing INTEGER, commit_id INTEGER, recipe INTEGER,
  PRIMARY KEY (thing, commit_id)) WITHOUT ROWID;
CREATE TABLE renamed (new INTEGER, commit_id INTEGER, old INTEGER,
  PRIMARY KEY (new, commit_id)) WITHOUT ROWID;
CREATE TABLE parts (commit_id INTEGER, source TEXT, target TEXT,
  PRIMARY KEY (commit_id, source, target)) WITHOUT ROWID;
CREATE INDEX parts_source ON parts (source);
CREATE INDEX parts_target ON parts (target);
CREATE TABLE runs (id TEXT PRIMARY KEY, recipe INTEGER, record TEXT);
CREATE INDEX runs_recipe ON runs (recipe);
CREATE TABLE notes (commit_id INTEGER, text TEXT);
CREATE TABLE folders (file TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE holders (oid TEXT PRIMARY KEY, refs TEXT) WITHOUT ROWID;
"""
TABLES: Final = (
    *("meta", "commits", "recipes", "things", "uses", "added", "introduced", "renamed"),
    *("parts", "runs", "notes", "folders", "holders"),
)


def database(root: str) -> sqlite3.Connection:
    """Open the index of the project at `root`, a new one where it is damaged or of another form.

    Where nothing can be written it is a temporary one, or what is there, to be read only.
    """
    path = _path(root)
    try:
        prepare_folder(root)
        if not os.access(os.path.dirname(path), os.W_OK):
            raise PermissionError
        return _open(path)
    except (OSError, sqlite3.OperationalError):
        return _copy(path)
    except sqlite3.DatabaseError:
        return remake(root)


def remake(root: str) -> sqlite3.Connection:
    """Throw a damaged index away; return a new one."""
    _throw_away(root)
    try:
        return _open(_path(root))
    except (OSError, sqlite3.Error):
        return _copy("")


def failure(root: str, error: sqlite3.Error) -> MlxError:
    """Return the error for a question that failed; a damaged index is thrown away."""
    if not is_damaged(error):
        return BusyError(
            "another mlx has been reading the history for a minute",
            hint="wait for it to finish, then repeat",
        )
    _throw_away(root)
    return MlxError(
        f"the index of history was damaged, and is thrown away ({error})",
        hint="repeat the command: it builds a new one",
    )


def _throw_away(root: str) -> None:
    path = _path(root)
    for name in (path, path + "-journal", path + "-wal", path + "-shm"):
        discard(name)


class Overtaken(Exception):
    """Another process wrote between two steps: what is known of the rows may be wrong by now."""


@contextmanager
def writing(db: sqlite3.Connection) -> Iterator[Callable[[], None]]:
    """Hold the index alone; all that is written inside counts, or nothing.

    What is yielded ends a step: what was written until then counts, whatever happens later. It
    raises Overtaken.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        yield lambda: _next_step(db)
    except BaseException:
        db.rollback()
        raise
    db.commit()


def _next_step(db: sqlite3.Connection) -> None:
    before = db.execute("PRAGMA data_version").fetchone()
    db.commit()
    db.execute("BEGIN IMMEDIATE")
    if db.execute("PRAGMA data_version").fetchone() != before:
        raise Overtaken


def clear(db: sqlite3.Connection) -> None:
    """Empty the index."""
    for table in TABLES:
        db.execute(f"DELETE FROM {table}")


def is_damaged(error: sqlite3.Error) -> bool:
    """Tell whether the file of the index is not what SQLite wrote."""
    return not isinstance(error, sqlite3.OperationalError) or "locked" not in str(error)


def _path(root: str) -> str:
    return os.path.join(root, ".mlx", "lineage.db")


def _open(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_WAIT, isolation_level=None)
    try:
        _prepare(db)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection) -> None:
    # It can be built again, so nothing waits for the disk.
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -65536")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    db.execute("BEGIN IMMEDIATE")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version != VERSION:  # no other process has made it meanwhile
        for kind, name in db.execute(
            "SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL AND type = 'table'"
        ).fetchall():
            db.execute(f'DROP {kind} "{name}"')
        for statement in _TABLES.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.commit()


def _copy(path: str) -> sqlite3.Connection:
    """Return an index in memory, beginning with what another process has left at `path`."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    try:
        with sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) as old:
            old.backup(db)
        old.close()
        _prepare(db)
    except sqlite3.Error:
        db.close()
        db = sqlite3.connect(":memory:", isolation_level=None)
        _prepare(db)
    return db

"""Keeps the index of history up to date: reads what is new, drops what nothing leads to."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence

from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import MlxError
from mlxkit.lineage import blobs, history, parts, runs, worktree
from mlxkit.lineage.facts import Reader
from mlxkit.lineage.history import Tips
from mlxkit.lineage.placed import Placed
from mlxkit.lineage.schema import (
    WORKTREE,
    Overtaken,
    clear,
    database,
    failure,
    is_damaged,
    remake,
    writing,
)
from mlxkit.lineage.writer import Writer, forget, sweep

Say = Callable[[str], None]
_WORTH_SAYING = 2000
_STEP = 1000
"""After so many commits what was read counts: a first read that is killed goes on from there."""


class Index:
    """The index of one repository, as up to date as when it was opened."""

    def __init__(self, root: str, git_root: str, db: sqlite3.Connection, tips: Tips) -> None:
        self.root = root
        self.git_root = git_root
        self.db = db
        self.tips = tips

    def close(self) -> None:
        """Close the database."""
        self.db.close()


def open_index(root: str, git_root: str, say: Say) -> Index:
    """Open the index of the project at `root`, brought up to date.

    Raises BusyError where another process does so for too long, MlxError where Git cannot tell.
    """
    db = database(root)
    try:
        try:
            return Index(root, git_root, db, update(db, root, git_root, say))
        except sqlite3.Error as error:
            if not is_damaged(error):
                raise failure(root, error) from error
            db.close()
            db = remake(root)
        return Index(root, git_root, db, update(db, root, git_root, say))
    except BaseException:
        db.close()
        raise


def update(db: sqlite3.Connection, root: str, git_root: str, say: Say) -> Tips:
    """Bring the index up to date with refs, records of runs and the working tree."""
    while True:
        try:
            return _update(db, git_root, say)
        except Overtaken:
            continue  # with what the other process has written


def _update(db: sqlite3.Connection, git_root: str, say: Say) -> Tips:
    tips = history.tips(git_root)
    now = worktree.look(git_root)
    mark = _mark(tips, now.mark)
    if _meta(db, "mark") == mark and not _meta(db, "lacks"):
        return tips
    with writing(db) as end_step:
        if _meta(db, "lacks"):
            clear(db)  # what Git lacked may have come
        if _meta(db, "mark") != mark:  # nobody else did so meanwhile
            _bring(db, git_root, tips, now, say, end_step)
            _set(db, "mark", mark)
    return tips


def _bring(
    db: sqlite3.Connection,
    git_root: str,
    tips: Tips,
    now: worktree.Look,
    say: Say,
    end_step: Callable[[], None],
) -> None:
    border = json.dumps(sorted(tips.border))
    if _meta(db, "border") not in (None, border):
        clear(db)  # what was a border has parents now, or the other way round
    _set(db, "border", border)
    seen = _ids(db, "seen")
    swept = _drop(db, git_root, seen | _ids(db, "begun"), tips.ids)
    db.execute("DELETE FROM holders")
    new = _new_commits(db, git_root, tips.ids - seen, seen)
    if swept and len(new) > _STEP:
        sweep(db)  # what a step leaves behind is right by itself
        swept = False
    if len(new) > _WORTH_SAYING:
        say(f"reading {len(new):,} commits, once")
    writer = Writer(db)
    reader = Reader(
        git_root, writer.holders, [file for (file,) in db.execute("SELECT file FROM folders")]
    )

    def at(commit: str, paths: Sequence[str]) -> Mapping[str, list[Placed]]:
        if commit == WORKTREE:
            return worktree.at(reader, now, paths)
        return reader.at(commit, paths)

    numbers: dict[str, int] = {}
    for count, facts in enumerate(reader.facts(new), 1):
        if facts.added or facts.notes:
            border_here = facts.commit.oid in tips.border
            numbers[facts.commit.oid] = writer.put(facts, border=border_here)
        if count % _STEP == 0 and count < len(new):
            _write_rest(db, writer, reader, at, numbers)
            numbers.clear()
            # A kill from here on leaves an index that is up to date with nothing.
            _set(db, "mark", "")
            _set(db, "begun", json.dumps(sorted(tips.ids)))
            _set(db, "seen", json.dumps(sorted(seen & tips.ids)))
            end_step()
    swept |= worktree.write(db, writer, reader, now)
    swept |= runs.bring(db, git_root, writer, tips.runs, _meta(db, "runs"))
    _write_rest(db, writer, reader, at, {**numbers, **worktree.number(db)})
    if swept:
        sweep(db)
    _set(db, "runs", tips.runs or "")
    _set(db, "begun", "[]")
    _set(db, "seen", json.dumps(sorted(tips.ids)))


def _write_rest(
    db: sqlite3.Connection, writer: Writer, reader: Reader, at: parts.At, numbers: dict[str, int]
) -> None:
    """Write what belongs to commits that were put: rows, parts, and what was learnt besides."""
    writer.flush()
    parts.find(db, reader, at, numbers)
    db.executemany("INSERT OR IGNORE INTO folders VALUES (?)", [(one,) for one in reader.folders])
    _set(db, "lacks", "yes" if reader.lacks else "")


def _drop(db: sqlite3.Connection, git_root: str, seen: set[str], tips: frozenset[str]) -> bool:
    """Forget commits that nothing leads to any more; tell whether there may be any."""
    gone = seen - tips
    if not gone:
        return False
    lost: set[str] | None = None
    if len(blobs.existing(git_root, gone)) == len(gone):
        try:
            lost = history.reachable(git_root, gone, tips)
        except MlxError:
            lost = None  # Git has dropped some of them already
    if lost is None:
        known = {oid for (oid,) in db.execute("SELECT oid FROM commits")}
        lost = known - history.reachable(git_root, tips) - {WORKTREE}
    forget(db, lost)
    return bool(lost)


def _new_commits(
    db: sqlite3.Connection, git_root: str, new: frozenset[str], seen: set[str]
) -> Sequence[history.Commit]:
    if not new:
        return []
    known = {oid for (oid,) in db.execute("SELECT oid FROM commits")}
    return [one for one in history.commits(git_root, new, seen) if one.oid not in known]


def _mark(tips: Tips, tree: str) -> str:
    told = [sorted(tips.refs.items()), sorted(tips.border), tips.runs, tree]
    return md5_bytes(json.dumps(told).encode())


def _ids(db: sqlite3.Connection, name: str) -> set[str]:
    return set(json.loads(_meta(db, name) or "[]"))


def _meta(db: sqlite3.Connection, name: str) -> str | None:
    found = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return found[0] if found else None


def _set(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

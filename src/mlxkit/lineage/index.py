"""Keeps the index of history up to date: reads what is new, drops what nothing leads to."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence

from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import BusyError, MlxError
from mlxkit.lineage import blobs, history, parts, runs, worktree
from mlxkit.lineage.facts import Reader
from mlxkit.lineage.history import Tips
from mlxkit.lineage.placed import Placed
from mlxkit.lineage.schema import WORKTREE, clear, database, is_damaged, remake, writing
from mlxkit.lineage.writer import Writer, forget, sweep

Say = Callable[[str], None]
_WORTH_SAYING = 2000


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
                raise BusyError(
                    "another mlx has been reading the history for a minute",
                    hint="wait for it to finish, then repeat",
                ) from error
            db.close()
            db = remake(root)
        return Index(root, git_root, db, update(db, root, git_root, say))
    except BaseException:
        db.close()
        raise


def update(db: sqlite3.Connection, root: str, git_root: str, say: Say) -> Tips:
    """Bring the index up to date with refs, records of runs and the working tree."""
    tips = history.tips(git_root)
    now = worktree.look(git_root)
    mark = _mark(tips, now.mark)
    if _meta(db, "mark") == mark and not _meta(db, "lacks"):
        return tips
    with writing(db):
        if _meta(db, "lacks"):
            clear(db)  # what Git lacked may have come
        if _meta(db, "mark") != mark:  # nobody else did so meanwhile
            _bring(db, git_root, tips, now, say)
            _set(db, "mark", mark)
    return tips


def _bring(db: sqlite3.Connection, git_root: str, tips: Tips, now: worktree.Look, say: Say) -> None:
    border = json.dumps(sorted(tips.border))
    if _meta(db, "border") not in (None, border):
        clear(db)  # what was a border has parents now, or the other way round
    _set(db, "border", border)
    seen = set(json.loads(_meta(db, "seen") or "[]"))
    swept = _drop(db, git_root, seen, tips.ids)
    db.execute("DELETE FROM holders")
    writer = Writer(db)
    reader = Reader(
        git_root, writer.holders, [file for (file,) in db.execute("SELECT file FROM folders")]
    )
    new = _new_commits(db, git_root, tips.ids - seen, seen)
    if len(new) > _WORTH_SAYING:
        say(f"reading {len(new):,} commits, once")
    numbers = {}
    for facts in reader.facts(new):
        if facts.added or facts.notes:
            border_here = facts.commit.oid in tips.border
            numbers[facts.commit.oid] = writer.put(facts, border=border_here)
    swept |= worktree.write(db, writer, reader, now)
    swept |= runs.bring(db, git_root, writer, tips.runs, _meta(db, "runs"))
    writer.flush()

    def at(commit: str, paths: Sequence[str]) -> Mapping[str, list[Placed]]:
        if commit == WORKTREE:
            return worktree.at(reader, now, paths)
        return reader.at(commit, paths)

    parts.find(db, reader, at, {**numbers, **worktree.number(db)})
    db.executemany("INSERT OR IGNORE INTO folders VALUES (?)", [(one,) for one in reader.folders])
    if swept:
        sweep(db)
    _set(db, "lacks", "yes" if reader.lacks else "")
    _set(db, "runs", tips.runs or "")
    _set(db, "seen", json.dumps(sorted(tips.ids)))


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


def _meta(db: sqlite3.Connection, name: str) -> str | None:
    found = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return found[0] if found else None


def _set(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

"""Which tracked files differ between two revisions, and what became of the tables among them."""

import os
from collections.abc import Sequence

from mlxkit.core.errors import MlxError
from mlxkit.data.diff.files import Change, Diff, diff
from mlxkit.data.diff.sides import Hash, cache_path
from mlxkit.data.rows.source import Source
from mlxkit.pipeline.session import Session
from mlxkit.reports.changes import Data, End, FileChange, TableChange
from mlxkit.reports.tables import Summaries, is_table, shifts

_MOST_BYTES = 64 << 20
_MOST_TABLES = 6
_LATER = ("prediction", "feature", "plot")
"""What is made of data comes after data, where not all tables are looked into."""


def data_changes(session: Session, base: End, head: End) -> Data:
    """Compare the tracked files of two revisions; what cannot be read is told in a note."""
    assert base.commit is not None
    try:
        found = diff(session, base.commit, head.commit)
    except MlxError as error:
        return Data(notes=[f"tracked files could not be compared: {error}"])
    notes = [
        f"{path}: which files are in it is not known, its list is not in the cache: mlx fetch"
        for path in found.unlisted
    ]
    tables, more = _tables(session, found, base, head)
    return Data(_files(found), tables, [*notes, *more])


def _files(found: Diff) -> list[FileChange]:
    kinds = {
        "added": found.added,
        "deleted": found.deleted,
        "modified": found.modified,
        "renamed": found.renamed,
    }
    return [
        FileChange(kind, one.path, one.old_path, one.old_size, one.new_size)
        for kind, changes in kinds.items()
        for one in changes
        if not one.path.endswith("/")  # its files are there, too
    ]


def _tables(
    session: Session, found: Diff, base: End, head: End
) -> tuple[list[TableChange], list[str]]:
    """Look into the tables that changed, those that others are made of first."""
    chosen = sorted((one for one in found.modified if is_table(one.path)), key=_rank)
    summaries = Summaries(session.root)
    tables: list[TableChange] = []
    left: list[str] = []
    budget = _MOST_BYTES
    for one in chosen:
        cost = _unread_bytes(summaries, one)
        if len(tables) == _MOST_TABLES or cost > budget:
            left.append(one.path)
            continue
        budget -= cost
        tables.append(_table(session, summaries, one, head))
    summaries.save()
    how = (
        f"{base.commit[:12] if base.commit else ''}{f' {head.commit[:12]}' if head.commit else ''}"
    )
    notes = [f"rows of {len(left)} more tables are not counted: mlx diff {how} --rows PATH"]
    return tables, notes if left else []


def _rank(one: Change) -> tuple[bool, int, str]:
    made = any(word in one.path.lower() for word in _LATER)
    return (made, one.path.count("/"), one.path)


def _unread_bytes(summaries: Summaries, one: Change) -> int:
    sides = ((one.old, one.old_size), (one.new, one.new_size))
    return sum(
        size or 0
        for content, size in sides
        if content is not None and not summaries.knows(content.md5, one.path)
    )


def _table(session: Session, summaries: Summaries, one: Change, head: End) -> TableChange:
    here = os.path.join(session.root, one.path) if head.commit is None else None
    try:
        old, new = (
            summaries.of(content.md5, _source(session, content, one.path, place))
            for content, place in _sides(one, here)
        )
    except MlxError as error:
        return TableChange(one.path, None, None, note=str(error))
    return TableChange(one.path, old.rows, new.rows, shifts(old, new))


def _sides(one: Change, here: str | None) -> Sequence[tuple[Hash, str | None]]:
    if one.old is None or one.new is None:
        raise MlxError("nothing is recorded of it")
    return (one.old, None), (one.new, here)


def _source(session: Session, content: Hash, path: str, here: str | None) -> Source:
    place = here or cache_path(session, content)
    if not os.path.isfile(place):
        raise MlxError(f"{path} is not in the cache: mlx fetch")
    return Source(place, path, path)

"""Which tracked files differ between two revisions, or a revision and the working tree.

Decides as `dvc diff` does: a directory counts as an entry of its own besides its files, a file
that vanished here and appeared there with the same content was renamed, and what lies in a
directory whose list is not in the cache is unknown, so it is not reported.
"""

import os
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mlxkit.core.errors import UsageError
from mlxkit.data.diff.sides import Entry, Hash, Side, cache_path, side_at, side_now
from mlxkit.data.history.revision import Recorded, Revisions, recorded_now
from mlxkit.data.targets import prefixes_of
from mlxkit.pipeline.session import Session


class Change(NamedTuple):
    """One path that differs; folders end with "/". What is not there is None."""

    path: str
    old_path: str | None = None
    """Where a renamed file was."""
    old: Hash | None = None
    new: Hash | None = None
    old_size: int | None = None
    new_size: int | None = None


class Diff(NamedTuple):
    """What differs, each kind sorted by path.

    `missing` are old files that the cache does not hold, looked for only when the working tree is
    compared; `unlisted` are directories whose list of files is not in the cache.
    """

    added: list[Change]
    deleted: list[Change]
    modified: list[Change]
    renamed: list[Change]
    missing: list[Change]
    unlisted: list[str]

    @property
    def differs(self) -> bool:
        """Tell whether anything changed."""
        return bool(self.added or self.deleted or self.modified or self.renamed)


def diff(session: Session, a: str, b: str | None, targets: Sequence[str] = ()) -> Diff:
    """Compare the commit `a` with the commit `b`, or without it with the working tree.

    `targets` are stages, files that declare them, outputs or paths in them. Raises UsageError for
    a revision or target that is not there, ProjectError for a file that is invalid in a revision.
    """
    revisions = Revisions(session)
    if (a == "HEAD" and b is None and revisions.is_empty) or (
        b is not None and revisions.commit(a) == revisions.commit(b)
    ):
        return Diff([], [], [], [], [], [])
    before = revisions.recorded(a)
    after = recorded_now(session) if b is None else revisions.recorded(b)
    chosen_before, chosen_after = _chosen(session, targets, before, after)
    if b is None:
        old = side_at(session, before, chosen_before)
        new = side_now(session, after, chosen_after)
    else:
        # What is the same as a whole need not be listed.
        same = {path for path, one in before.items() if _same(one, after.get(path))}
        old = side_at(session, before, chosen_before, unlisted=same)
        new = side_at(session, after, chosen_after, unlisted=same)
    found = compare(old, new, missing=_missing(session, old) if b is None else ())
    return _sized(session, found, here=b is None)


def compare(old: Side, new: Side, *, missing: Iterable[str] = ()) -> Diff:
    """Tell what differs; `missing` are paths of `old` that the cache does not hold."""
    added: list[str] = []
    deleted: list[str] = []
    modified: list[Change] = []
    for path in old.entries.keys() | new.entries.keys():
        if _is_unknown(path, old, new) or path in old.folders or path in new.folders:
            continue
        before, after = old.entries.get(path), new.entries.get(path)
        if before is None:
            added.append(path)
        elif after is None:
            deleted.append(path)
        elif before.hash != after.hash or before.is_dir != after.is_dir:
            modified.append(
                Change(_shown(path, before), None, before.hash, after.hash, before.size, after.size)
            )
    pairs = dict(_renames(old.entries, deleted, new.entries, added))
    gone = set(pairs.values())
    renamed = (
        _renamed(was, old.entries[was], path, new.entries[path]) for path, was in pairs.items()
    )
    return Diff(
        added=_sorted(_added(path, new.entries[path]) for path in added if path not in pairs),
        deleted=_sorted(_deleted(path, old.entries[path]) for path in deleted if path not in gone),
        modified=_sorted(modified),
        renamed=sorted(renamed, key=lambda one: one.old_path or ""),
        missing=_sorted(
            _deleted(path, old.entries[path]) for path in missing if path not in new.folders
        ),
        unlisted=sorted(f"{path}/" for path in old.unlisted | new.unlisted),
    )


def _renames(
    old: Mapping[str, Entry], deleted: Sequence[str], new: Mapping[str, Entry], added: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Pair each new path, in order, with the first one left that had the same content."""
    waiting: defaultdict[Hash | None, deque[str]] = defaultdict(deque)
    for path in sorted(deleted, key=_parts):
        waiting[old[path].hash].append(path)
    for path in sorted(added, key=_parts):
        content = new[path].hash
        if content is not None and waiting.get(content):
            yield path, waiting[content].popleft()


def _chosen(
    session: Session,
    targets: Sequence[str],
    before: Mapping[str, Recorded],
    after: Mapping[str, Recorded],
) -> tuple[list[str] | None, list[str] | None]:
    """Return the paths that the targets stand for on each side; None is everything."""
    if not targets:
        return None, None
    found: tuple[list[str], list[str]] = ([], [])
    for target in targets:
        here = [prefixes_of(target, session.root, recorded) for recorded in (before, after)]
        if not any(here):
            raise UsageError(
                f"neither side tracks '{target}'", hint="name a stage, a .dvc file or an output"
            )
        found[0].extend(here[0])
        found[1].extend(here[1])
    return found


def _same(one: Recorded, other: Recorded | None) -> bool:
    return (
        other is not None
        and one.md5 is not None
        and one[:3] == other[:3]
        and one.legacy == other.legacy
    )


def _is_unknown(path: str, old: Side, new: Side) -> bool:
    """Tell whether the path is inside a directory that one side cannot list."""
    if not old.unlisted and not new.unlisted:
        return False
    while path := os.path.dirname(path):
        if path in old.unlisted or path in new.unlisted:
            return True
    return False


def _missing(session: Session, side: Side) -> Iterator[str]:
    """Yield the paths of a revision whose objects are not in the cache."""
    known: dict[Hash, bool] = {}
    for path, one in side.entries.items():
        if one.hash is None or path in side.folders:
            continue
        if one.hash not in known:
            known[one.hash] = os.path.exists(cache_path(session, one.hash))
        if not known[one.hash]:
            yield path


def _sized(session: Session, found: Diff, *, here: bool) -> Diff:
    """Fill in the sizes that only the files tell: in the cache, or `here` in the working tree."""

    def old(one: Change) -> int | None:
        return one.old_size if one.old_size is not None else _cached_size(session, one.old)

    def new(one: Change) -> int | None:
        if one.new_size is not None or one.new is None or one.path.endswith("/"):
            return one.new_size
        if here:
            return _size(os.path.join(session.root, one.path))
        return _cached_size(session, one.new)

    def filled(changes: list[Change]) -> list[Change]:
        return [one._replace(old_size=old(one), new_size=new(one)) for one in changes]

    return found._replace(
        added=filled(found.added),
        deleted=filled(found.deleted),
        modified=filled(found.modified),
        renamed=filled(found.renamed),
    )


def _cached_size(session: Session, content: Hash | None) -> int | None:
    if content is None or content.md5.endswith(".dir"):
        return None
    return _size(cache_path(session, content))


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def _added(path: str, entry: Entry) -> Change:
    return Change(_shown(path, entry), new=entry.hash, new_size=entry.size)


def _deleted(path: str, entry: Entry) -> Change:
    return Change(_shown(path, entry), old=entry.hash, old_size=entry.size)


def _renamed(was: str, before: Entry, path: str, after: Entry) -> Change:
    return Change(
        _shown(path, after),
        _shown(was, before),
        before.hash,
        after.hash,
        before.size,
        after.size,
    )


def _sorted(changes: Iterable[Change]) -> list[Change]:
    return sorted(changes, key=lambda one: one.path)


def _shown(path: str, entry: Entry) -> str:
    return f"{path}/" if entry.is_dir else path


def _parts(path: str) -> list[str]:
    return path.split("/")

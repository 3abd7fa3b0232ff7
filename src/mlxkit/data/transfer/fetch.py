"""Bringing what outputs refer to from a remote into the cache."""

import os
import stat as st
from collections.abc import Sequence
from typing import NamedTuple

from mlxkit.core.digest import md5_bytes
from mlxkit.core.progress import Progress
from mlxkit.data.transfer.copy import TOO_LONG, WRONG, place
from mlxkit.data.transfer.items import ABSENT, LACKING, Failure, Item, Outcome, Remote, Wanted
from mlxkit.store.errors import BadObject, MissingObject
from mlxkit.store.ingest import PROTECTED
from mlxkit.store.objects import ObjectStore
from mlxkit.store.tree import Entries, parse_tree

_WORTH_LISTING = 500
# The most that a path and its digest take of a directory's object: a path has 4 KiB at most, and
# a character of it takes up to six bytes (\u1234).
_ENTRY = 32_000
_LONGEST = 4 << 30
_SLACK = 1 << 20

_Files = dict[str, tuple[str, int | None]]
"""By digest: a name for people, and the most bytes it can have."""


class Missing(NamedTuple):
    """What the cache does not have: directory objects, to be read first, and other objects."""

    directories: list[Wanted]
    files: _Files

    def __bool__(self) -> bool:
        return bool(self.directories or self.files)


def missing(store: ObjectStore, wanted: Sequence[Wanted], *, every: bool = False) -> Missing:
    """Return what the cache has not got; objects there that are damaged count as missing.

    Of files only what is not read-only is looked into, unless `every` one shall be.
    """
    absent: list[Wanted] = []
    files: _Files = {}
    for one in wanted:
        if not one.is_directory:
            files.setdefault(one.md5, (one.name(), _most(one)))
            continue
        try:
            _add(files, one, store.verified_tree(one.md5))
        except (MissingObject, BadObject):
            absent.append(one)
    if every:
        damaged = {md5: what for md5, what in files.items() if not store.whole(md5)}
        return Missing(absent, damaged)
    return Missing(absent, _without_present(store, files))


def fetch(
    store: ObjectStore, lacking: Missing, remote: Remote, dir_mode: int | None, progress: Progress
) -> Outcome:
    """Fetch what is missing; each object is checked, and a directory's own comes after its files.

    A directory's object whose files cannot all be had is kept all the same, for those that can.
    The outcome's failures are named as people know them. Raises DiskFull, RemoteError.
    """
    trees, failed = _read_trees(lacking.directories, remote)
    files = dict(lacking.files)
    inner: _Files = {}
    for one in lacking.directories:
        if one.md5 in trees:
            _add(inner, one, trees[one.md5][1])
    new = {md5: what for md5, what in inner.items() if md5 not in files}
    files.update(_without_present(store, new))
    done = Outcome()
    if files:
        progress.begin(f"fetching from '{remote.name}'", len(files))
        try:
            # In order: objects lie side by side in 256 folders, and so are read and written so.
            items = [Item(md5, limit) for md5, (_, limit) in sorted(files.items())]
            done = remote.receive(store.root, items, progress)
        finally:
            progress.end()
    for md5, (data, _) in trees.items():
        place(store.root, md5, data, dir_mode)
        done = done.plus(Outcome(1, len(data)))
    if done.failed or failed:
        remote.forget()
    named = {files[md5][0]: _explained(why) for md5, why in done.failed.items()}
    return done._replace(failed={**failed, **named})


def _explained(failure: Failure) -> Failure:
    return failure._replace(why=LACKING) if failure.why == ABSENT else failure


def _add(files: _Files, wanted: Wanted, entries: Entries) -> None:
    """Note the files of a directory; none can be longer than the directory was as a whole."""
    base, most = wanted.name(), _most(wanted)
    for relpath, md5 in wanted.chosen(entries):
        if md5 not in files:
            files[md5] = (f"{base}/{relpath}", most)


def _most(wanted: Wanted) -> int | None:
    """Return how many bytes are taken at most: a size written by hand may be a little wrong."""
    return None if wanted.size is None else wanted.size + _SLACK


def _without_present(store: ObjectStore, files: _Files) -> _Files:
    if len(files) > _WORTH_LISTING:
        names = store.names()
        return {
            md5: what for md5, what in files.items() if md5 not in names or not _usable(store, md5)
        }
    return {md5: what for md5, what in files.items() if not _usable(store, md5)}


def _usable(store: ObjectStore, md5: str) -> bool:
    """As DVC: what is read-only was checked when it came, anything else is checked now."""
    path = store.path(md5)
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if st.S_ISREG(mode) and st.S_IMODE(mode) == PROTECTED:
        return True
    return store.keeps(md5)


def _read_trees(
    directories: Sequence[Wanted], remote: Remote
) -> tuple[dict[str, tuple[bytes, Entries]], dict[str, Failure]]:
    trees: dict[str, tuple[bytes, Entries]] = {}
    failed: dict[str, Failure] = {}
    for one in directories:
        if one.md5 in trees:
            continue
        try:
            data = remote.read(one.md5, _longest(one) + 1)
            trees[one.md5] = (data, _checked(one, data))
        except (FileNotFoundError, NotADirectoryError):
            failed[one.name()] = Failure(LACKING)
        except BadObject as error:
            failed[one.name()] = Failure(f"its directory object is unusable: {error.message}")
        except OSError as error:
            failed[one.name()] = Failure(error.strerror or str(error))
    return trees, failed


def _longest(wanted: Wanted) -> int:
    return _LONGEST if wanted.nfiles is None else min(_LONGEST, (wanted.nfiles + 1) * _ENTRY)


def _checked(wanted: Wanted, data: bytes) -> Entries:
    if len(data) > _longest(wanted):
        raise BadObject(TOO_LONG)
    if md5_bytes(data) != wanted.md5[:32]:
        raise BadObject(WRONG)
    return parse_tree(data)

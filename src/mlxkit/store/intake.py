"""Taking files of the workspace into the cache, reading each at most once."""

import os
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from functools import partial

from mlxkit.core.progress import SILENT, Progress
from mlxkit.store.errors import explained
from mlxkit.store.folder import Part, pack_part
from mlxkit.store.objects import WORTH_LISTING, ObjectStore
from mlxkit.store.tree import Content, Entries, Numbered, describe_found, digests, look, tree_bytes
from mlxkit.store.walk import AnyStat, Found, Ignore, compact, unwritten

_EXEC = 0o111


def take_file(
    store: ObjectStore, path: str, progress: Progress = SILENT, *, relink: bool = True
) -> Content:
    """Put a file into the cache; with `relink` it becomes what `cache.type` says.

    Raises ChangedWhileRead, DiskFull, UnusablePath.
    """
    path = os.path.abspath(path)
    with explained("add", path):
        before = compact(os.stat(path))
        isexec = bool(before.st_mode & _EXEC)  # now: to become an object takes the bit away
        md5 = store.state.known(path, before)
        moment = time.time_ns()
        if md5 is None or not store.keeps(md5):
            progress.begin(f"adding {os.path.relpath(path)}", 1, before.st_size)
            md5, before, moment = store.ingest().take(path)
            progress.end()
        if relink:
            store.relink().file(path, store.path(md5), md5, before, isexec=isexec)
        after = os.stat(path)
        if unwritten(before, after):
            store.state.remember_ours(path, after, md5, began=moment)
    return Content(md5, before.st_size, isexec=isexec)


def take_tree(
    store: ObjectStore,
    path: str,
    ignore: Ignore | None = None,
    progress: Progress = SILENT,
    *,
    relink: bool = True,
) -> Content:
    """Put a directory into the cache; raises as `take_file` does, and BrokenLink.

    Its own object is written last: where it is, all its files are.
    """
    path = os.path.abspath(path)
    with explained("add", path):
        found = look(path, ignore)
        progress.begin(f"adding {os.path.relpath(path)}", len(found), _size(found))
        content = describe_found(path, found, store.state, partial(_take, store, progress))
        entries = content.entries or ()
        if len(entries) <= WORTH_LISTING or not store.has(content.md5):
            _add_absent(store, path, entries)
        if not store.keeps(content.md5):
            store.ingest().data(tree_bytes(entries), store.path(content.md5), content.md5)
        if relink:
            _relink(store, path, found, entries)
        progress.end()
    return content


def _take(
    store: ObjectStore, progress: Progress, files: Sequence[Numbered]
) -> Generator[Part, None, None]:
    ingest = store.ingest()

    def part(files: list[Numbered]) -> Part:
        taken = [ingest.take(path) for _, path in files]
        return pack_part([number for number, _ in files], taken)

    with closing(ingest.spread(part, files)) as parts:
        for done in parts:
            progress.advance(len(done.numbers), done.size)
            yield done


def _add_absent(store: ObjectStore, path: str, entries: Entries) -> None:
    """Add the files whose digests the index knows but whose objects are not there."""
    ingest = store.ingest()

    def part(files: list[tuple[str, str]]) -> None:
        for relpath, md5 in files:
            ingest.file(f"{path}/{relpath}", store.path(md5), md5)

    if len(entries) > WORTH_LISTING:
        gone = set(digests(entries)) - store.names()
        absent = [one for one in entries if one[1] in gone] if gone else []
    else:
        absent = [one for one in entries if not store.keeps(one[1])]
    for _ in ingest.spread(part, absent):
        pass


def _relink(store: ObjectStore, path: str, found: Sequence[Found], entries: Entries) -> None:
    """Make files what `cache.type` asks for, where they may be something else."""
    plain = set(store.link_types) <= {"reflink", "copy"}
    if plain and not any(one[2] or (one[1] is not None and one[1][4] > 1) for one in found):
        return
    wrong = [
        number
        for number, one in enumerate(found)
        if not plain or one.link or (one.stat is not None and one.stat.st_nlink > 1)
    ]
    files = [(found[number], *entries[number]) for number in wrong]
    store.relink().tree(
        path,
        [
            (file, _before(one, file), store.path(md5), md5)
            for one, file, md5 in ((one, f"{path}/{name}", md5) for one, name, md5 in files)
        ],
    )


def _before(one: Found, path: str) -> AnyStat:
    """Return what a file itself looked like before it was taken."""
    return os.lstat(path) if one.link or one.stat is None else one.stat


def _size(found: Sequence[Found]) -> int:
    return sum(one.stat.st_size for one in found if one.stat is not None)

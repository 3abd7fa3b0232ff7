"""Sending what outputs refer to from the cache to a remote."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mlxkit.core.progress import Progress
from mlxkit.data.transfer.items import ABSENT, LOCAL, Failure, Outcome, Remote, Wanted
from mlxkit.store.errors import BadObject, MissingObject
from mlxkit.store.objects import ObjectStore
from mlxkit.store.tree import Entries, parse_tree

_NOWHERE = "it is neither in the cache nor in the remote"


class _Directory(NamedTuple):
    wanted: Wanted
    files: set[str]


class _Load(NamedTuple):
    """The objects to send: loose ones, and directories with the files that go before them."""

    loose: set[str]
    directories: list[_Directory]

    def files(self) -> set[str]:
        return self.loose.union(*(one.files for one in self.directories))

    def all(self) -> set[str]:
        return self.files() | {one.wanted.md5 for one in self.directories}


def push(
    store: ObjectStore, wanted: Sequence[Wanted], remote: Remote, progress: Progress
) -> Outcome:
    """Send what the remote does not have, a directory's own object after all its files.

    So a directory's object that is there says that its files are: only a part of a directory,
    when the user asked for no more, is an exception, as it is DVC's. The outcome's failures are
    named as people know them. Raises RemoteError.
    """
    load, unreadable = _load(store, wanted)
    if unreadable:
        there = remote.present({one.md5 for one in unreadable}, progress)
        unreadable = {one: why for one, why in unreadable.items() if one.md5 not in there}
    known = remote.complete({one.wanted.md5 for one in load.directories if _whole(one)})
    load = _Load(load.loose, [one for one in load.directories if one.wanted.md5 not in known])
    there = remote.present(load.all(), progress)
    done = _send(store, load, there, remote, progress)
    if done.failed:
        names = dict(_names(store, wanted, set(done.failed)))
        done = done._replace(
            failed={names.get(md5, md5): failure for md5, failure in done.failed.items()}
        )
    else:
        remote.remember(one.wanted.md5 for one in load.directories if _whole(one))
    failed = {one.name(): failure for one, failure in unreadable.items()}
    return done.plus(Outcome(failed=failed))


def _load(store: ObjectStore, wanted: Sequence[Wanted]) -> tuple[_Load, dict[Wanted, Failure]]:
    loose = set()
    directories = []
    unreadable: dict[Wanted, Failure] = {}
    for one in wanted:
        if not one.is_directory:
            loose.add(one.md5)
            continue
        try:
            directories.append(_Directory(one, _files(store, one)))
        except MissingObject:
            unreadable[one] = Failure(_NOWHERE, LOCAL)
        except BadObject as error:
            unreadable[one] = Failure(error.message, LOCAL)
    return _Load(loose, directories), unreadable


def _files(store: ObjectStore, wanted: Wanted) -> set[str]:
    if wanted.within is not None:
        return {md5 for _, md5 in wanted.chosen(store.read_tree(wanted.md5))}
    return store.children(wanted.md5)


def _send(
    store: ObjectStore, load: _Load, there: set[str], remote: Remote, progress: Progress
) -> Outcome:
    absent = sorted(load.files() - there)
    done = _send_some(store, absent, remote, progress)
    ready = []
    for one in load.directories:
        if one.wanted.md5 in there or one.wanted.md5 in ready:
            continue
        if one.files.isdisjoint(done.failed):
            ready.append(one.wanted.md5)
        else:
            failure = Failure("not all of its files were sent", LOCAL)
            done = done.plus(Outcome(failed={one.wanted.md5: failure}))
    return done.plus(_send_some(store, ready, remote, progress))


def _send_some(
    store: ObjectStore, md5s: Sequence[str], remote: Remote, progress: Progress
) -> Outcome:
    if not md5s:
        return Outcome()
    progress.begin(f"pushing to '{remote.name}'", len(md5s))
    try:
        sent = remote.send(store.root, md5s, progress)
    finally:
        progress.end()
    nowhere = Failure(_NOWHERE, LOCAL)
    failed = {
        md5: failure if failure.why != ABSENT else nowhere for md5, failure in sent.failed.items()
    }
    return sent._replace(failed=failed)


def _whole(one: _Directory) -> bool:
    return one.wanted.within is None


def _names(
    store: ObjectStore, wanted: Sequence[Wanted], md5s: set[str]
) -> Iterator[tuple[str, str]]:
    for one in wanted:
        if one.is_directory:
            entries = _entries(store, one)
            yield from ((md5, one.name(path)) for path, md5 in entries if md5 in md5s)
        yield one.md5, one.name()


def _entries(store: ObjectStore, wanted: Wanted) -> Entries:
    try:
        with open(store.path(wanted.md5), "rb") as file:
            return parse_tree(file.read())
    except (OSError, BadObject):
        return ()

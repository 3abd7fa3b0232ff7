"""The bytes of a version, wherever one is: from the cache, a remote or Git, checked, as a whole."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from mlxkit.core.digest import md5_bytes, md5_file
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.core.files import make_folders, write_atomic
from mlxkit.core.progress import Progress
from mlxkit.data.history.revision import Revisions
from mlxkit.data.transfer.fetch import fetch as fetch_missing
from mlxkit.data.transfer.fetch import missing
from mlxkit.data.transfer.items import Wanted
from mlxkit.data.transfer.remote import cache_dir_mode, core_remote, open_remote
from mlxkit.pipeline.session import Session
from mlxkit.registry.content import Content
from mlxkit.registry.recorded import content_of
from mlxkit.store.checkout import lay_out
from mlxkit.store.compare import Wish, compare
from mlxkit.store.errors import BadObject, MissingObject
from mlxkit.versions.find import Chosen

_SHOWN = 5


class Fetched(NamedTuple):
    """What was written where; `files` and `size` are what came from a remote."""

    path: str
    content: Content
    files: int = 0
    size: int = 0
    changed: bool = True


def fetch(
    session: Session, chosen: Chosen, folder: str, progress: Progress, *, force: bool = False,
    remote: str = "",
) -> Fetched:  # fmt: skip
    """Write a version's file or folder into `folder`, under its own name; nothing half written.

    Raises UsageError where `folder` cannot be one, MlxError where bytes are missing or not what tag
    and commit record, where something is in the way that nothing keeps (without `force`), and
    RemoteError.
    """
    _refuse_file(folder)
    revisions = Revisions(session)
    came: list[tuple[int, int]] = []

    def bring(wanted: Wanted) -> None:
        came.append(_bring(session, wanted, remote, progress, chosen.shown))

    content = content_of(session, revisions, chosen, bring)
    dest = os.path.join(os.path.abspath(folder), os.path.basename(content.path))
    if content.blob is not None:
        data = revisions.read([content.blob])[content.blob]
        return Fetched(dest, content, changed=_write(dest, data, force))
    if content.special or content.wanted is None:
        raise MlxError(
            f"{chosen.shown} is recorded in a form that only DVC reads",
            hint=f"run: dvc artifacts get . {chosen.model.name} -o {folder}",
        )
    bring(content.wanted)
    changed = _lay_out(session, content, dest, progress, force)
    return Fetched(dest, content, sum(n for n, _ in came), sum(size for _, size in came), changed)


def _refuse_file(folder: str) -> None:
    place = os.path.abspath(folder)
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place):
        raise UsageError(
            f"'{os.path.relpath(place)}' is a file, not a folder", hint="name a folder: -o DIR"
        )


def _bring(
    session: Session, wanted: Wanted, name: str, progress: Progress, shown: str
) -> tuple[int, int]:
    """Fetch what the cache lacks, or has damaged; returns how many files and bytes came."""
    store = session.workspace.store
    lacking = missing(store, [wanted], every=True)
    if not lacking:
        return 0, 0
    objects = [*lacking.files, *(one.md5 for one in lacking.directories)]
    damaged = any(os.path.lexists(store.path(md5)) for md5 in objects)
    chosen = name or wanted.remote or core_remote(session)
    if chosen is None:
        state = "damaged in the cache" if damaged else "not in the cache"
        raise MlxError(
            f"the data of {shown} are {state}, and there is no remote to fetch them from",
            hint="add one: mlx remote add -d NAME URL   or run: mlx pull where they are",
        )
    remote = open_remote(session, chosen, None)
    done = fetch_missing(store, lacking, remote, cache_dir_mode(session), progress)
    if done.failed:
        named, failure = next(iter(done.failed.items()))
        more = f" (and {len(done.failed) - 1} more)" if len(done.failed) > 1 else ""
        more += "; what the cache has of it is damaged" if damaged else ""
        raise MlxError(
            f"{shown} cannot be had from '{remote.name}': {named}: {failure.why}{more}",
            hint="where the data are, run: mlx push",
        )
    return done.files, done.size


def _lay_out(
    session: Session, content: Content, dest: str, progress: Progress, force: bool
) -> bool:
    """Make what is recorded at a place; tells whether it was not there already."""
    assert content.wanted is not None
    store = session.workspace.store
    try:
        store.verify(content.md5)
    except (MissingObject, BadObject) as error:
        raise MlxError(
            f"the cache is damaged: {error.message}",
            hint="mend it from a remote: mlx fsck --repair   and repeat",
        ) from None
    make_folders(os.path.dirname(dest))
    plan = compare(Wish(content.md5, dest, copy=True), store)
    if plan is None:
        return False
    if plan.lost and not force:
        raise _in_the_way([os.path.relpath(one) for one in plan.lost])
    lay_out(plan, store, copy=True, progress=progress)
    return True


def _write(dest: str, data: bytes, force: bool) -> bool:
    link = os.path.islink(dest)
    if os.path.lexists(dest):
        if not link and os.path.isfile(dest) and md5_file(dest) == md5_bytes(data):
            return False
        if not force or (os.path.isdir(dest) and not link):
            raise _in_the_way([os.path.relpath(dest)])
    if link:
        os.unlink(dest)  # what it leads to is not in the way
    write_atomic(dest, data)
    return True


def _in_the_way(paths: Sequence[str]) -> MlxError:
    some = ", ".join([f"'{one}'" for one in paths[:_SHOWN]] + ["..."] * (len(paths) > _SHOWN))
    verb, them = ("is", "it") if len(paths) == 1 else ("are", "them")
    return MlxError(
        f"{some} {verb} in the way, and nothing keeps {them}",
        hint=f"move {them} away, choose another folder, or give --force",
    )

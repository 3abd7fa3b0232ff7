"""The bytes of a version, wherever one is: from the cache, a remote or Git, checked, as a whole."""

import os
from typing import NamedTuple

from mlxkit.core.digest import md5_bytes, md5_file
from mlxkit.core.errors import MlxError
from mlxkit.core.files import make_folders, write_atomic
from mlxkit.core.progress import Progress
from mlxkit.data.history.revision import Revisions
from mlxkit.data.transfer.fetch import fetch as fetch_missing
from mlxkit.data.transfer.fetch import missing
from mlxkit.data.transfer.items import Wanted
from mlxkit.data.transfer.remote import cache_dir_mode, core_remote, open_remote
from mlxkit.pipeline.session import Session
from mlxkit.registry.content import Content
from mlxkit.registry.held import content_of
from mlxkit.store.checkout import lay_out
from mlxkit.store.compare import Wish, compare
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

    Raises MlxError where bytes are missing or not what tag and commit record, where something is
    in the way that nothing keeps (without `force`), and RemoteError.
    """
    revisions = Revisions(session)
    content = content_of(session, revisions, chosen)
    dest = os.path.join(os.path.abspath(folder), os.path.basename(content.path))
    if content.blob is not None:
        data = revisions.read([content.blob])[content.blob]
        return Fetched(dest, content, changed=_write(dest, data, force))
    if content.special or content.wanted is None:
        raise MlxError(
            f"{chosen.shown} is recorded in a form that only DVC reads",
            hint=f"run: dvc artifacts get . {chosen.model.name} -o {folder}",
        )
    files, size = _bring(session, content.wanted, remote, progress, chosen.shown)
    changed = _lay_out(session, content, dest, progress, force)
    return Fetched(dest, content, files, size, changed)


def _bring(
    session: Session, wanted: Wanted, name: str, progress: Progress, shown: str
) -> tuple[int, int]:
    """Fetch what the cache lacks; returns how many files and bytes came."""
    store = session.workspace.store
    lacking = missing(store, [wanted])
    if not lacking:
        return 0, 0
    chosen = name or wanted.remote or core_remote(session)
    if chosen is None:
        raise MlxError(
            f"the data of {shown} are not in the cache, and there is no remote to fetch them from",
            hint="add one: mlx remote add -d NAME URL   or run: mlx pull where they are",
        )
    remote = open_remote(session, chosen, None)
    done = fetch_missing(store, lacking, remote, cache_dir_mode(session), progress)
    if done.failed:
        named, failure = next(iter(done.failed.items()))
        more = f" (and {len(done.failed) - 1} more)" if len(done.failed) > 1 else ""
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
    store.verify(content.md5)
    make_folders(os.path.dirname(dest))
    plan = compare(Wish(content.md5, dest, copy=True), store)
    if plan is None:
        return False
    if plan.lost and not force:
        some = ", ".join(os.path.relpath(one) for one in list(plan.lost)[:_SHOWN])
        raise _in_the_way(some)
    lay_out(plan, store, copy=True, progress=progress)
    return True


def _write(dest: str, data: bytes, force: bool) -> bool:
    if os.path.lexists(dest):
        same = os.path.isfile(dest) and md5_file(dest) == md5_bytes(data)
        if same:
            return False
        if not force or os.path.isdir(dest):
            raise _in_the_way(os.path.relpath(dest))
    write_atomic(dest, data)
    return True


def _in_the_way(what: str) -> MlxError:
    return MlxError(
        f"{what} is in the way, and nothing keeps it",
        hint="move it away, choose another folder, or give --force",
    )

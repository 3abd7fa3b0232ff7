"""Lays out the data that a rebuild starts from; only reads the user's cache."""

import os
from collections.abc import Sequence

from mlxkit.core.errors import MlxError, RemoteError
from mlxkit.core.progress import Progress
from mlxkit.data.transfer.fetch import fetch, missing
from mlxkit.data.transfer.items import Wanted
from mlxkit.data.transfer.remote import cache_dir_mode, core_remote, open_remote
from mlxkit.pipeline.session import RunSession, Session
from mlxkit.pipeline.spec import Out, Stage, entry_items
from mlxkit.proof.makers import Item, is_legacy
from mlxkit.store.checkout import checkout
from mlxkit.store.objects import ObjectStore

_LINKS = ("reflink", "copy")
"""Never a link to an object: a stage that writes to its input must not write to the cache."""


def lay_out(
    session: Session, built: RunSession, stages: Sequence[Stage], remote: str, progress: Progress
) -> None:
    """Bring the recorded outputs of `stages` into the worktree; nothing comes into the cache.

    What the cache lacks is fetched into the worktree's own one. Raises RemoteError naming what
    is nowhere, MlxError.
    """
    theirs = session.workspace.store.root
    cache = ObjectStore(theirs, state=session.state, link_types=_LINKS)
    older = ObjectStore(
        os.path.dirname(os.path.dirname(theirs)), state=session.state, link_types=_LINKS
    )
    lacking: list[tuple[Out, Item]] = []
    for stage in stages:
        recorded = entry_items(built.locks.entry(stage), "outs")
        for out in stage.outs:
            item: Item = recorded.get(out.path, {})
            if not out.cache:
                continue
            if "md5" not in item:
                raise MlxError(
                    f"'{out.path}' has no recorded content that could be laid out",
                    where=built.declared.where(stage),
                    hint="track it with: mlx add, or run the stage that makes it, and commit",
                )
            store = older if is_legacy(item) else cache
            if store.has(item["md5"]) if is_legacy(item) else store.whole(item["md5"]):
                checkout(item["md5"], out.abs, store, isexec=bool(item.get("isexec")))
            else:
                lacking.append((out, item))
    if lacking:
        _fetch(session, built, lacking, remote, progress)
        for out, item in lacking:
            own = built.committer.copies
            checkout(item["md5"], out.abs, own, isexec=bool(item.get("isexec")))
    built.workspace.forget()


def _fetch(
    session: Session,
    built: RunSession,
    lacking: Sequence[tuple[Out, Item]],
    chosen: str,
    progress: Progress,
) -> None:
    groups: dict[str | None, list[Wanted]] = {}
    for out, item in lacking:
        wanted = Wanted(out.abs, item["md5"], item.get("size"), item.get("nfiles"))
        groups.setdefault(out.remote or chosen or core_remote(session), []).append(wanted)
    gone: dict[str, str] = {}
    for name, wanted_here in groups.items():
        if name is None:
            gone |= {one.name(): "there is no remote" for one in wanted_here}
            continue
        remote = open_remote(session, name, None)
        own = built.workspace.store
        done = fetch(own, missing(own, wanted_here), remote, cache_dir_mode(session), progress)
        gone |= {path: failure.why for path, failure in done.failed.items()}
    if gone:
        path, why = next(iter(sorted(gone.items())))
        more = f", and {len(gone) - 1} more" if len(gone) > 1 else ""
        raise RemoteError(
            f"data to start from is not in the cache and cannot be fetched: {path} ({why}){more}",
            hint="push it from where it is, or name the remote that has it: --remote NAME",
        )

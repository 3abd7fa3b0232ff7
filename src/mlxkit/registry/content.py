"""The bytes of a model's path at a commit: in the cache by what is recorded, or in Git itself."""

import os
import posixpath
from collections.abc import Callable
from typing import NamedTuple

from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.data.history.revision import Recorded, Revisions
from mlxkit.data.transfer.items import Wanted
from mlxkit.pipeline.session import Session
from mlxkit.store.errors import BadObject, MissingObject


class Content(NamedTuple):
    """What a commit has at a path: `wanted` is the object behind it, or `blob` Git's own.

    `special` where only DVC can read the record: of DVC 2, or of versions that a cloud keeps.
    """

    path: str
    md5: str
    size: int | None = None
    nfiles: int | None = None
    wanted: Wanted | None = None
    blob: str | None = None
    special: bool = False


Bring = Callable[[Wanted], None]
"""Brings data into the cache."""


def content_at(
    session: Session, revisions: Revisions, commit: str, path: str, bring: Bring | None = None
) -> Content:
    """Return what a commit records of a path from the project's root.

    Raises UsageError where it is not tracked there, MlxError where nothing is recorded of it, or
    the list of its folder's files is not here, and nobody can `bring` it.
    """
    path = posixpath.normpath(path)
    recorded = revisions.recorded(commit)
    outer = _above(path, recorded)
    if outer is not None:
        return _recorded(session, path, outer, recorded[outer], commit, bring)
    tree = revisions.tree(commit)
    blob = tree.files.get(path)
    if blob is None:
        inside = any(one.startswith(f"{path}/") for one in tree.files)
        raise UsageError(
            f"'{path}' is a folder of Git's at {commit[:7]}: a model is a file, or what DVC tracks"
            if inside
            else f"'{path}' is not tracked at {commit[:7]}",
            hint=f"track it: mlx add {path}   or make it an output of a stage; then commit",
        )
    data = revisions.read([blob])[blob]
    return Content(path, md5_bytes(data), len(data), blob=blob)


def _above(path: str, recorded: dict[str, Recorded]) -> str | None:
    while path:
        if path in recorded:
            return path
        path = posixpath.dirname(path)
    return None


def _recorded(
    session: Session, path: str, outer: str, one: Recorded, commit: str, bring: Bring | None
) -> Content:
    if one.md5 is None:
        lock = one.file.removesuffix("yaml") + "lock"
        stage = one.stage if one.file == "dvc.yaml" else f"{one.file}:{one.stage}"
        raise MlxError(
            f"nothing is recorded of '{path}' at {commit[:7]}",
            hint=f"make it: mlx repro {stage}   and commit {lock}",
        )
    place = os.path.join(session.root, outer)
    wanted = Wanted(place, one.md5, one.size, one.nfiles, push=one.push, remote=one.remote)
    special = one.legacy or one.entries is not None
    if path == outer:
        return Content(path, one.md5, one.size, one.nfiles, wanted, special=special)
    inner = posixpath.relpath(path, outer)
    wanted = wanted._replace(within=inner)
    store = session.workspace.store
    try:
        if bring is not None and not special:
            bring(wanted)
        entries = dict(store.read_tree(one.md5))
    except (MissingObject, BadObject):
        raise MlxError(
            f"the list of files of '{outer}' at {commit[:7]} is not in the cache",
            hint=f"first: mlx fetch --all-commits {outer}",
        ) from None
    if inner not in entries:
        raise UsageError(
            f"there is no file '{inner}' in '{outer}' at {commit[:7]}",
            hint=f"name a file in it, or '{outer}' as a whole",
        )
    return Content(path, entries[inner], wanted=wanted, special=special)

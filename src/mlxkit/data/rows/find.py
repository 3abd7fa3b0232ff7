"""Finds the file that holds a table: on disk, in the cache as a revision records it, or in Git."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from mlxkit.core.errors import MlxError, UsageError
from mlxkit.data.diff.sides import Hash, cache_path, read_tree
from mlxkit.data.history.revision import Recorded, Revisions
from mlxkit.data.rows.source import Source
from mlxkit.pipeline.session import Session
from mlxkit.tools import git


class Place(NamedTuple):
    """Where a user says a table is: a path, in the working tree or at a revision."""

    path: str
    rev: str | None = None

    @property
    def label(self) -> str:
        """The place as the user wrote it."""
        return f"{self.rev}:{self.path}" if self.rev else self.path


def parse_place(text: str) -> Place:
    """Read `PATH` or `REV:PATH`; a file with a colon in its name is a path."""
    rev, colon, path = text.partition(":")
    if colon and rev and path and not os.path.lexists(text):
        return Place(path, rev)
    return Place(text)


def on_disk(place: Place) -> Source:
    """Return the file of the working tree, or anywhere else; raises UsageError."""
    if os.path.isdir(place.path):
        raise UsageError(f"'{place.path}' is a folder", hint="name a file in it")
    if not os.path.isfile(place.path):
        raise UsageError(
            f"there is no file '{place.path}'",
            hint=f"if it is tracked: mlx checkout {place.path}   at a revision: REV:PATH",
        )
    return Source(os.path.abspath(place.path), place.path, place.label)


def at_revision(session: Session, revisions: Revisions, place: Place, scratch: str) -> Source:
    """Return the file as a revision has it; one of Git's is laid out in the folder `scratch`.

    Raises UsageError where the revision has no such file, MlxError where the cache has not.
    """
    assert place.rev is not None
    commit = revisions.commit(place.rev)
    path = os.path.abspath(place.path)
    recorded = revisions.recorded(place.rev)
    content = _content(session, recorded, os.path.relpath(path, session.root), place)
    if content is not None:
        target = cache_path(session, content)
        if not os.path.isfile(target):
            raise _not_cached(place)
        return Source(target, place.path, place.label)
    git_root = session.git_root or session.root
    folder, name = os.path.split(os.path.relpath(path, git_root))
    files = {} if folder.startswith("..") else git.list_files(git_root, commit, folder)
    if name not in files:
        raise UsageError(
            f"there is no file '{place.path}' in {place.rev}",
            hint=f"see: git ls-tree -r --name-only {place.rev}   mlx ls -R --rev {place.rev} .",
        )
    target = os.path.join(scratch, f"{files[name]}-{len(os.listdir(scratch))}")
    with open(target, "wb") as file:
        file.write(git.read_objects(git_root, [files[name]])[files[name]])
    return Source(target, place.path, place.label)


def _content(
    session: Session, recorded: Mapping[str, Recorded], path: str, place: Place
) -> Hash | None:
    """Return the digest that is recorded of a path, itself or in a directory."""
    for out, one in recorded.items():
        inside = path.startswith(f"{out}/")
        if (path != out and not inside) or one.md5 is None:
            continue
        content = Hash(one.md5, one.legacy)
        if not one.is_dir:
            return None if inside else content
        if not inside:
            raise UsageError(f"'{place.path}' is a folder in {place.rev}", hint="name a file in it")
        files = one.entries
        if files is None:
            if not os.path.isfile(cache_path(session, content)):
                raise _not_cached(place)
            files = read_tree(session, content)
        found = dict(files).get(path[len(out) + 1 :])
        return Hash(found, one.legacy) if found is not None else None
    return None


def _not_cached(place: Place) -> MlxError:
    return MlxError(
        f"'{place.path}' of {place.rev} is not in the cache",
        hint=f"fetch it: mlx fetch --all-commits {place.path}",
    )

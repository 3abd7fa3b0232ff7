"""What the working tree, or a commit, has: the `View` that checks are made with."""

import os
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import MlxError, ProjectError
from mlxkit.core.files import scratch_folder
from mlxkit.data.history.revision import Revisions
from mlxkit.data.history.tree import says_something
from mlxkit.pipeline.params import pick, read_file
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Entry, Params, Stage, inside
from mlxkit.store.objects import ObjectStore
from mlxkit.store.tree import tree_bytes
from mlxkit.tools import git

_LINK, _SUBMODULE = "120000", "160000"
_LFS = b"version https://git-lfs.github.com/spec/"


class Listing:
    """The files of a commit, or of the index, by absolute path."""

    def __init__(self, git_root: str, files: Mapping[str, tuple[str, str]]) -> None:
        self.git_root = git_root
        self.files = files
        self._names = sorted(files)
        self._special = {name: mode for name, (mode, _) in files.items() if mode[:3] != "100"}

    def below(self, path: str) -> list[str]:
        """Return the files at the path, or below it."""
        name = self.name(path)
        if name is None:
            return []
        if name in self.files:
            return [path] if self.files[name][0] != _SUBMODULE else []
        start = name + "/" if name else ""
        first = bisect_left(self._names, start)
        last = bisect_left(self._names, name + "0") if name else len(self._names)  # "/" comes first
        return [os.path.join(self.git_root, one) for one in self._names[first:last]]

    def blob(self, path: str) -> str | None:
        """Return the id of a regular file's content."""
        mode, oid = self.files.get(self.name(path) or "", ("", ""))
        return oid if mode[:3] == "100" else None

    def beyond(self, path: str) -> str | None:
        """Say why a path cannot be in Git: it is outside, in a submodule, or behind a link."""
        name = self.name(path)
        if name is None:
            return "it lies outside of the repository"
        while name and self._special:
            if name in self._special:
                submodule = self._special[name] == _SUBMODULE
                return "it lies in a submodule" if submodule else "it lies behind a link"
            name = os.path.dirname(name)
        return None

    def name(self, path: str) -> str | None:
        """Return a path as from the repository's top, None for one that lies outside."""
        if not inside(path, self.git_root):
            return None
        return path[len(self.git_root) :].lstrip("/")


class _View:
    """What both views have in common."""

    listing: Listing
    _store: ObjectStore

    def below(self, path: str) -> Sequence[str]:
        return self.listing.below(path)

    def beyond(self, path: str) -> str | None:
        return self.listing.beyond(path)

    def inside(self, directory: str, part: str) -> str | None:
        try:
            entries = dict(self._store.read_tree(directory))
        except MlxError:
            return None
        if part in entries:
            return entries[part]
        start = part + "/"
        some = [
            (name[len(start) :], md5) for name, md5 in entries.items() if name.startswith(start)
        ]
        return md5_bytes(tree_bytes(sorted(some))) + ".dir" if some else None


class WorkView(_View):
    """The working tree: its lock files and parameters, and the files that Git tracks."""

    def __init__(self, session: Session, git_root: str) -> None:
        self._session = session
        self._store = session.workspace.store
        self.listing = Listing(git_root, git.list_all(git_root, None))

    def entry(self, stage: Stage) -> Entry | None:
        try:
            return self._session.locks.entry(stage)
        except ProjectError:
            return None  # said of the lock file as a whole

    def values(self, params: Params) -> Mapping[str, Any] | None:
        return self._session.workspace.values(params)

    def digests(self, path: str, *, legacy: bool) -> Sequence[str]:
        if not os.path.isfile(path):
            oid = self.listing.blob(path)  # of a sparse checkout; a deleted one is uncommitted
            told = git.read_objects(self.listing.git_root, [oid]) if oid else {}
            return content_digests(told[oid], legacy=legacy) if oid else ()
        if not legacy:
            return (self._session.state.digest(path),)
        with open(path, "rb") as file:
            return content_digests(file.read(), legacy=True)[:1]

    def folder(self, path: str) -> str | None:
        try:
            return self._session.workspace.md5(path)
        except MlxError:
            return None

    def beyond(self, path: str) -> str | None:
        told = super().beyond(path)
        if told is None and self._session.declared.has_ignore_patterns and os.path.isdir(path):
            return "what .dvcignore says of it is not looked at here"
        return told


class CommitView(_View):
    """A commit, read straight from Git."""

    def __init__(self, session: Session, git_root: str, revisions: Revisions, rev: str) -> None:
        self._session = session
        self._store = session.workspace.store
        self._revisions = revisions
        self.tree = revisions.tree(rev)
        self.listing = Listing(git_root, git.list_all(git_root, revisions.commit(rev)))
        self._locks: dict[str, dict[str, Any]] = {}
        rules = [one for one in self.tree.files if os.path.basename(one) == ".dvcignore"]
        self._ignores = any(says_something(self.tree.content(one)) for one in rules)

    def prepare(self, paths: Iterable[str]) -> None:
        """Read the content of all files at or below these paths at once."""
        files = {one for path in paths for one in self.below(path)}
        ids = [oid for one in sorted(files) if (oid := self.listing.blob(one))]
        self._revisions.read(ids)

    def lock(self, path: str) -> dict[str, Any]:
        """Return the entries of a lock file, by its absolute path; raises ProjectError."""
        if path not in self._locks:
            name = os.path.relpath(path, self._session.root)
            self._locks[path] = self._revisions.lock(self.tree, name)
        return self._locks[path]

    def entry(self, stage: Stage) -> Entry | None:
        try:
            return self.lock(stage.lock_path).get(stage.name or "")
        except ProjectError:
            return None

    def values(self, params: Params) -> Mapping[str, Any] | None:
        data = self._content(params.abs)
        if data is None:
            return None
        with scratch_folder("mlx-revision-") as folder:
            path = os.path.join(folder, os.path.basename(params.abs))
            with open(path, "wb") as file:
                file.write(data)
            try:
                return pick(read_file(path), params)
            except MlxError as error:
                raise MlxError(f"cannot be read: {error.message}") from None

    def digests(self, path: str, *, legacy: bool) -> Sequence[str]:
        data = self._content(path)
        return () if data is None else content_digests(data, legacy=legacy)

    def folder(self, path: str) -> str | None:
        return None  # of no commit there is a folder on disk

    def beyond(self, path: str) -> str | None:
        told = super().beyond(path)
        if told is None and self._ignores and self.listing.name(path) not in self.listing.files:
            return "what .dvcignore says of it is not looked at here"
        return told

    def _content(self, path: str) -> bytes | None:
        oid = self.listing.blob(path)
        return self._revisions.read([oid])[oid] if oid else None


def content_digests(data: bytes, *, legacy: bool) -> tuple[str, ...]:
    """Return the digests that DVC may have given a content that Git keeps; none of Git LFS's.

    A checkout may have had other line ends, and DVC 2 saw text with those of Unix.
    """
    if data.startswith(_LFS):
        return ()
    if b"\0" in data[:8000]:
        return (md5_bytes(data),)
    unix = data.replace(b"\r\n", b"\n")
    if legacy:
        return (md5_bytes(unix), md5_bytes(data))
    return (md5_bytes(data), md5_bytes(unix.replace(b"\n", b"\r\n")))

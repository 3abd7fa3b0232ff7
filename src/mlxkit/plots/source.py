"""One revision, or the working tree, as plots need it: what declares, and the bytes of files.

Paths are relative to the current folder, as DVC names plots.
"""

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Protocol

from mlxkit.comparison.commits import Commits
from mlxkit.comparison.content import Base, Cached, Content, InCommit, OnDisk
from mlxkit.core.errors import ProjectError
from mlxkit.data.history.revision import Recorded, Revisions, recorded_now
from mlxkit.pipeline.session import Session
from mlxkit.plots.definitions import Document, stage_plots


class Source(Protocol):
    """What plots ask of a revision; raises MlxError where it is invalid."""

    @property
    def content(self) -> Content: ...
    def documents(self) -> list[Document]: ...
    def prepare(self, paths: Iterable[str]) -> None: ...


class Files:
    """A revision's files by their paths seen from the current folder."""

    def __init__(self, root: str, content: Content) -> None:
        self._root = root
        self._content = content
        # The project's root is a real path; that of the current folder may not be.
        self._here = os.path.realpath(os.getcwd())

    def read(self, path: str) -> bytes:
        """As `Content.read`."""
        return self._content.read(self.within(path))

    def below(self, path: str) -> list[str] | None:
        """As `Content.files_below`."""
        found = self._content.files_below(self.within(path))
        if found is None:
            return None
        return [os.path.relpath(os.path.join(self._root, one), self._here) for one in found]

    def exists(self, path: str) -> bool:
        """As `Content.exists`."""
        return self._content.exists(self.within(path))

    def within(self, path: str) -> str:
        """Return a path as seen from the project's root."""
        return os.path.relpath(os.path.join(self._here, path), self._root)


class WorkingTree:
    """The files as they are now; what is tracked but not laid out comes from the cache."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def content(self) -> Content:
        """The files on disk, and those that are recorded."""
        base = OnDisk(self._session.root)
        return _content(self._session, base, recorded_now(self._session))

    def documents(self) -> list[Document]:
        """Return what declares plots."""
        return [_document(file, said) for file, said in self._session.declared.plots.items()]

    def prepare(self, paths: Iterable[str]) -> None:
        """Do nothing: files on disk are read one by one."""


class Commit:
    """The files of one commit."""

    def __init__(
        self, session: Session, revisions: Revisions, commits: Commits, commit: str
    ) -> None:
        self._session = session
        self._revisions = revisions
        self._commits = commits
        self._commit = commit

    @cached_property
    def content(self) -> Content:
        """The commit's own files, and those that it records."""
        base = InCommit(self._commits, self._commit)
        return _content(self._session, base, self._revisions.recorded(self._commit))

    def documents(self) -> list[Document]:
        """Return what declares plots; raises ProjectError."""
        found = []
        tree = self._revisions.tree(self._commit)
        files = [path for path in self._revisions.declaring(tree) if not path.endswith(".dvc")]
        self._revisions.read([tree.files[path] for path in files])
        for path in files:
            data = self._revisions.declared(tree, path)
            file = os.path.join(self._session.root, path)
            try:
                found.append(_document(file, data))
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                where = f"{self._commit[:7]}:{path}"
                raise ProjectError(f"is not valid: {error!r}", where=where) from error
        return found

    def prepare(self, paths: Iterable[str]) -> None:
        """Read all of Git's files among `paths`, which are seen from the root, at once."""
        entries = [self._commits.find(self._commit, path) for path in paths]
        self._commits.read([one.id for one in entries if one is not None and not one.is_folder])


def _content(session: Session, base: Base, recorded: Mapping[str, Recorded]) -> Content:
    cached = {path: Cached(one.md5, one.is_dir) for path, one in recorded.items()}
    return Content(base, cached, session.workspace.store)


def _document(file: str, data: Mapping[str, Any]) -> Document:
    """Return what a file declares; raises ValueError where an old one breaks today's schema."""
    plots = data.get("plots") or []
    items = [item for item in plots if not isinstance(item, str)]
    if not isinstance(plots, list) or not all(
        isinstance(said, dict) for item in items for said in item.values() if said is not None
    ):
        raise ValueError("`plots` is no list of files and definitions")
    shown = os.path.relpath(file)
    return Document(shown, plots, stage_plots(os.path.dirname(shown), data.get("stages") or {}))

"""The bytes of the project's files at a revision: from Git or disk, else from the cache.

What a stage wrote into the cache is found by the digest that the revision records, also inside of
a directory; what the revision has itself comes first, as in DVC.
"""

import os
import posixpath
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from mlxkit.comparison.commits import Commits
from mlxkit.core.files import regular
from mlxkit.store.objects import ObjectStore


class Cached(NamedTuple):
    """What is recorded of an output in the cache; no digest: nothing was made yet."""

    md5: str | None
    is_dir: bool = False


class Base(Protocol):
    """The files that a revision has itself; paths are relative to the project's root."""

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None where there is no file, not even a folder.

        Raises IsADirectoryError, and OSError for what cannot be read.
        """

    def below(self, path: str) -> list[str] | None:
        """Return the files in a folder, relative to it; None where it is none."""

    def has(self, path: str) -> bool:
        """Tell whether there is anything at this path."""


class Content:
    """One revision's files; `missing` tells whether anything was not found in the cache."""

    def __init__(self, base: Base, cached: Mapping[str, Cached], store: ObjectStore) -> None:
        self._base = base
        self._cached = cached
        self._store = store
        self.missing = False

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises FileNotFoundError, also for what the cache lacks, IsADirectoryError, and OSError.
        """
        path = posixpath.normpath(path)
        data = self._base.read(path)
        if data is not None:
            return data
        md5 = self._digest(path)
        if md5 is None:
            raise FileNotFoundError(f"{path}: does not exist")
        try:
            with open(self._store.path(md5), "rb") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            self.missing = True
            raise FileNotFoundError(f"{path}: is not in the cache; run: mlx fetch") from None

    def files_below(self, path: str) -> list[str] | None:
        """Return the paths of all files in a folder, sorted; None where it is no folder.

        A folder in the cache whose list of files is not there is none.
        """
        path = posixpath.normpath(path)
        inside = self._base.below(path)
        if inside is None and self._base.has(path):
            return None
        recorded = self._recorded_below(path)
        if inside is None and recorded is None:
            return None
        names = {*(inside or ()), *(recorded or ())}
        found = (posixpath.normpath(posixpath.join(path, name)) for name in names)
        return sorted(one for one in found if not _declares(one))

    def exists(self, path: str) -> bool:
        """Tell whether there is a file or folder, or one was recorded."""
        path = posixpath.normpath(path)
        return self._base.has(path) or path in self._cached or self._digest(path) is not None

    def _digest(self, path: str) -> str | None:
        """Return the digest recorded of a file, be it in a directory."""
        if path in self._cached:
            one = self._cached[path]
            if one.is_dir and self._entries(one.md5 or ""):
                raise IsADirectoryError(f"{path}: is a folder")
            if one.is_dir:
                raise FileNotFoundError(f"{path}: is not in the cache; run: mlx fetch")
            if one.md5 is None:
                raise FileNotFoundError(f"{path}: nothing is recorded of it yet")
            return one.md5
        folder = posixpath.dirname(path)
        while folder:
            one = self._cached.get(folder, Cached(None))
            if one.is_dir and one.md5 is not None:
                return self._entries(one.md5).get(posixpath.relpath(path, folder))
            folder = posixpath.dirname(folder) if folder != "/" else ""
        return None

    def _recorded_below(self, path: str) -> Iterable[str] | None:
        one = self._cached.get(path)
        if one is not None and one.is_dir and one.md5 is not None:
            return self._entries(one.md5) or None
        start = "" if path == "." else path + "/"
        inner = [out for out in self._cached if out.startswith(start) and out != path]
        found: list[str] = []
        for out in inner:
            name = out[len(start) :]
            if self._cached[out].is_dir:
                md5 = self._cached[out].md5
                found += [f"{name}/{part}" for part in (self._entries(md5) if md5 else ())]
            else:
                found.append(name)
        if inner:
            return found
        folder = posixpath.dirname(path)
        while folder and folder != "/":
            one = self._cached.get(folder)
            if one is not None and one.is_dir and one.md5 is not None:
                prefix = posixpath.relpath(path, folder) + "/"
                parts = [p[len(prefix) :] for p in self._entries(one.md5) if p.startswith(prefix)]
                return parts or None
            folder = posixpath.dirname(folder)
        return None

    def _entries(self, md5: str) -> dict[str, str]:
        """Return the files that a directory's object lists, none where the cache lacks it."""
        from mlxkit.store.errors import BadObject, MissingObject

        try:
            return dict(self._store.read_tree(md5))
        except MissingObject:
            self.missing = True
        except BadObject:
            pass
        return {}


class OnDisk:
    """The files of the working tree."""

    def __init__(self, root: str) -> None:
        self._root = root

    def read(self, path: str) -> bytes | None:
        try:
            with open(os.path.join(self._root, path), "rb", opener=regular) as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def below(self, path: str) -> list[str] | None:
        top = os.path.join(self._root, path)
        if not os.path.isdir(top):
            return None
        return [
            os.path.relpath(os.path.join(folder, name), top)
            for folder, _, names in os.walk(top)
            for name in names
        ]

    def has(self, path: str) -> bool:
        return os.path.exists(os.path.join(self._root, path))


class InCommit:
    """The files of a commit."""

    def __init__(self, commits: Commits, commit: str) -> None:
        self._commits = commits
        self._commit = commit

    def read(self, path: str) -> bytes | None:
        found = self._commits.find(self._commit, path)
        if found is None:
            return None
        if found.is_folder:
            raise IsADirectoryError(f"{path}: is a folder")
        return self._commits.read([found.id])[found.id]

    def below(self, path: str) -> list[str] | None:
        found = self._commits.find(self._commit, path)
        return self._commits.below(found) if found is not None and found.is_folder else None

    def has(self, path: str) -> bool:
        return self._commits.find(self._commit, path) is not None


def _declares(path: str) -> bool:
    """Tell whether DVC leaves a file out of a folder's list: one of its own."""
    name = posixpath.basename(path)
    return name.endswith(".dvc") or name in ("dvc.yaml", ".dvcignore")

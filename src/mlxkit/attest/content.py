"""The sha256 of what lock files name by md5: read from the working tree, the cache, or Git."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mlxkit.core.digest import new_md5
from mlxkit.core.errors import MlxError
from mlxkit.lineage import blobs
from mlxkit.lineage.index import Index
from mlxkit.lineage.inside import cache, files_of, places
from mlxkit.store.state import State
from mlxkit.store.tree import describe

_CHUNK = 1 << 20


class Both(NamedTuple):
    """Two digests of the same bytes."""

    md5: str
    sha256: str


class Contents:
    """Finds content by its md5; each file is read once."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._cache = cache(index.root)
        self._read: dict[str, Both | None] = {}

    def on_disk(self, path: str) -> Both | None:
        """Return the digests of the file at `path`, None where there is none; raises OSError."""
        path = os.path.abspath(path)
        if path not in self._read:
            self._read[path] = _digests(path)
        return self._read[path]

    def sha256(self, md5: str, path: str, commit: str | None = None) -> str | None:
        """Return the sha256 of content with this md5, None where it is nowhere here.

        `path` is from the repository's top; `commit` is one that may hold it, as Git's own file.
        """
        for place in self._places(md5, path):
            found = self.on_disk(place)
            if found is not None and found.md5 == md5:
                return found.sha256
        ids = blobs.lookup(self._index.git_root, [f"{one}:{path}" for one in (commit,) if one])
        for data in blobs.blobs(self._index.git_root, ids.values()).values():
            if new_md5(data).hexdigest() == md5:
                return hashlib.sha256(data).hexdigest()
        return None

    def folder(self, md5: str, path: str) -> dict[str, Both] | None:
        """Return the files of a recorded folder; None where not all of it is here."""
        real = os.path.join(self._index.git_root, path)
        if os.path.isdir(real):
            found, files = self.folder_on_disk(real, md5)
            if found == md5:
                return files
        known: dict[str, Both] = {}
        for name, one in files_of(self._index, md5).items():
            sha256 = self.sha256(one, f"{path}/{name}")
            if sha256 is None:
                return None
            known[name] = Both(one, sha256)
        return known or None

    def folder_on_disk(self, path: str, expected: str = "") -> tuple[str, dict[str, Both]]:
        """Return what DVC would record of a folder, and its files; raises MlxError.

        Where that is not what is expected, files that `.dvcignore` excludes may be why.
        """
        state = State.load(os.path.join(self._index.root, ".mlx", "state"))
        found = describe(path, state)
        if found is not None and expected not in ("", found.md5):
            from mlxkit.tools.dvc import ignore_filter

            found = describe(path, state, ignore_filter(self._index.root))
        if found is None or found.entries is None:
            raise MlxError(f"'{path}' is no folder")
        files = {}
        for name, md5 in found.entries:
            both = self.on_disk(os.path.join(path, name))
            if both is None or both.md5 != md5:
                raise MlxError(
                    f"'{os.path.join(path, name)}' changed while it was read",
                    hint="wait until nothing writes to it",
                )
            files[name] = both
        return found.md5, files

    def _places(self, md5: str, path: str) -> Iterator[str]:
        yield os.path.join(self._index.git_root, path)
        yield from places(self._cache, md5)


def dir_hash(files: Mapping[str, Both]) -> str:
    """Return in-toto's `dirHash` of a folder, of its files by their paths.

    As `find . -type f | cut -c3- | LC_ALL=C sort | xargs sha256sum | sha256sum` does. Raises
    MlxError for a name that it has no form for.
    """
    lines = []
    for name in sorted(files, key=os.fsencode):
        if "\n" in name:
            raise MlxError(f"a file's name has a line break, so it has no dirHash: {name!r}")
        lines.append(files[name].sha256.encode("ascii") + b"  " + os.fsencode(name) + b"\n")
    return hashlib.sha256(b"".join(lines)).hexdigest()


def _digests(path: str) -> Both | None:
    if not os.path.isfile(path):
        return None
    md5, sha256 = new_md5(), hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while data := file.read(_CHUNK):
            md5.update(data)
            sha256.update(data)
    return Both(md5.hexdigest(), sha256.hexdigest())

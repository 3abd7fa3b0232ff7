"""A remote that is a folder of this machine: plain system calls, and nothing of DVC is imported."""

import os
from collections.abc import Iterable, Sequence

from mlxkit.core.errors import RemoteError
from mlxkit.core.files import TEMPORARY, discard_left, make_folders, write_atomic
from mlxkit.core.progress import Progress
from mlxkit.data.transfer.copy import copy_objects
from mlxkit.data.transfer.items import LOCAL, REMOTE, Item, Outcome

_WORTH_LISTING = 500
"""From so many objects on, listing folders is faster than asking for each."""
_A_DAY = 86_400


class LocalRemote:
    """Objects below `folder`, laid out as in the cache."""

    run_cache = True

    def __init__(self, name: str, folder: str, *, shared: bool, cache_dir_mode: int | None) -> None:
        self.name = name
        self.folder = folder
        self._objects = os.path.join(folder, "files", "md5")
        self._runs = os.path.join(folder, "runs")
        self._dir_mode = 0o2775 if shared else None
        self._cache_dir_mode = cache_dir_mode

    def present(self, md5s: set[str], progress: Progress) -> set[str]:
        """Return which of the objects the folder has; raises RemoteError."""
        if len(md5s) < _WORTH_LISTING:
            return {md5 for md5 in md5s if os.path.isfile(self._path(md5))}
        found: set[str] = set()
        for prefix in {md5[:2] for md5 in md5s}:
            try:
                names = os.listdir(f"{self._objects}/{prefix}")
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise RemoteError(
                    f"remote '{self.name}': cannot list '{error.filename}': {error.strerror}"
                ) from error
            found.update([prefix + name for name in names])
        return md5s & found

    def complete(self, directories: set[str]) -> set[str]:
        """Return nothing: to list a folder is cheaper than to trust what was noted of it."""
        return set()

    def remember(self, directories: Iterable[str]) -> None:
        """Note nothing."""

    def forget(self) -> None:
        """Forget nothing."""

    def must_exist(self) -> None:
        """Raise RemoteError where there is no such folder: a disk that is not mounted."""
        if not os.path.isdir(self.folder):
            raise RemoteError(
                f"remote '{self.name}': there is no folder '{self.folder}'",
                hint="mount it, or push to it first",
            )

    def read(self, md5: str, limit: int) -> bytes:
        """Return an object's bytes; raises OSError, RemoteError."""
        self.must_exist()
        fd = os.open(self._path(md5), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file:
            return file.read(limit)

    def send(self, cache: str, md5s: Sequence[str], progress: Progress) -> Outcome:
        """Copy objects from a cache into the folder; raises RemoteError."""
        # What a kill left; younger ones may be another machine's, at work.
        discard_left(self._objects, TEMPORARY[0], older=_A_DAY)
        items = [Item(md5) for md5 in md5s]
        return copy_objects(
            cache,
            self._objects,
            items,
            source_side=LOCAL,
            dir_mode=self._dir_mode,
            progress=progress,
        )

    def receive(self, cache: str, items: Sequence[Item], progress: Progress) -> Outcome:
        """Copy objects from the folder into a cache; raises DiskFull, RemoteError."""
        self.must_exist()
        return copy_objects(
            self._objects,
            cache,
            items,
            source_side=REMOTE,
            dir_mode=self._cache_dir_mode,
            progress=progress,
        )

    def runs(self) -> set[str]:
        """Return the names of the run-cache's entries."""
        return list_runs(self._runs)

    def read_run(self, name: str) -> bytes:
        """Return an entry of the run-cache; raises OSError."""
        fd = os.open(f"{self._runs}/{name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file:
            return file.read()

    def write_run(self, name: str, source: str) -> None:
        """Copy an entry of the run-cache into the folder; raises OSError."""
        with open(source, "rb") as file:
            data = file.read()
        make_folders(f"{self._runs}/{os.path.dirname(name)}", self._dir_mode)
        # Prepared outside `runs/`: DVC takes every file in there for an entry.
        write_atomic(f"{self._runs}/{name}", data, sync=False, scratch=self.folder)

    def _path(self, md5: str) -> str:
        return f"{self._objects}/{md5[:2]}/{md5[2:]}"


def list_runs(folder: str) -> set[str]:
    """Return the names `ab/KEY/VALUE` of all files below a folder of a run-cache."""
    found = set()
    for top, _, files in os.walk(folder):
        inner = os.path.relpath(top, folder)
        found.update([f"{inner}/{name}" for name in files])
    return found

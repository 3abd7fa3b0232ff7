"""Objects of a remote that is a server: listed, read to the end, and put right, through DVC."""

import errno
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

from mlxkit.core.digest import new_md5
from mlxkit.core.errors import RemoteError
from mlxkit.tools.dvc_remote import connect

_CHUNK = 1 << 20


class RemoteObjects:
    """The objects below one remote's `files/md5`."""

    def __init__(self, config: dict[str, Any], name: str, jobs: int | None) -> None:
        self.name = name
        self._server = connect(config, name, jobs)
        self._odb = self._server._odb
        self._fs = self._odb.fs

    def list(self) -> set[str]:
        """The names of all objects; raises RemoteError."""
        with self._explained("list"):
            return set(self._odb.all(jobs=self._server.jobs)) if self._is_there() else set()

    def digests(self, names: Iterable[str]) -> Iterator[tuple[str, str | None, int]]:
        """Yield (name, digest of what is there or None where it cannot be read, bytes)."""
        with ThreadPoolExecutor(self._server.jobs) as pool:
            waiting = {pool.submit(self._digest, name): name for name in names}
            for done in as_completed(waiting):
                yield (waiting[done], *done.result())

    def take(self, name: str, target: str) -> None:
        """Download an object as it is to `target`, and delete it there; raises RemoteError."""
        with self._explained("move"):
            path = self._odb.oid_to_path(name)
            self._fs.get_file(path, target)
            self._fs.remove(path)

    def get(self, name: str, target: str) -> None:
        """Download an object as it is to `target`; raises RemoteError, OSError for a full disk."""
        with self._explained("read from"):
            self._fs.get_file(self._odb.oid_to_path(name), target)

    def put(self, source: str, name: str) -> None:
        """Upload an object; raises RemoteError."""
        with self._explained("write to"):
            self._server.put(source, name, f".mlx-{os.urandom(8).hex()}.tmp")

    def _digest(self, name: str) -> tuple[str | None, int]:
        hasher = new_md5()
        size = 0
        try:
            with self._fs.open(self._odb.oid_to_path(name), "rb") as file:
                while chunk := file.read(_CHUNK):
                    hasher.update(chunk)
                    size += len(chunk)
        except Exception:
            return None, size  # libraries raise whatever they like
        return hasher.hexdigest(), size

    def _is_there(self) -> bool:
        return bool(self._fs.exists(self._odb.path))

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise  # that is ours, not the remote's
            said = " ".join(str(error).split())
            raise RemoteError(f"remote '{self.name}': cannot {doing} it: {said}") from error

"""Claims: of all runs that share a cache, one makes a result, and the others wait for it.

A claim is a locked file, named by the digest of a stage's inputs, beside the shared run-cache. It
is held while the command runs, by that process alone, so the system drops it with the process. Who
holds one waits for no other, so there are no circles.
"""

import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from mlxkit.core.files import make_folders

FOLDER = "claims"


@dataclass(slots=True)
class Claim:
    """The right to make a result, until `release`."""

    _path: str
    _file: int

    def release(self) -> None:
        """Let others have it; whoever waits looks for the result first."""
        if self._file >= 0:
            with suppress(OSError):
                os.unlink(self._path)  # while it is ours: who waits will see that it is gone
            os.close(self._file)
            self._file = -1


class Claims:
    """The claims below one cache folder."""

    def __init__(self, cache_dir: str, *, shared: bool) -> None:
        self._folder = os.path.join(cache_dir, FOLDER)
        self._shared = shared

    def take(self, key: str) -> Claim | None:
        """Claim a result; None where another process has."""
        return self._taken(key, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def wait(self, key: str, told: Callable[[Claim], None]) -> None:
        """Call `told` from a thread as soon as the result is ours to make."""

        def sleep() -> None:
            claim = self._taken(key, fcntl.LOCK_EX)
            told(claim if claim is not None else Claim("", -1))

        threading.Thread(target=sleep, daemon=True).start()

    def _taken(self, key: str, how: int) -> Claim | None:
        path = os.path.join(self._folder, key[:2], key)
        while True:
            try:
                make_folders(os.path.dirname(path), 0o2775 if self._shared else None)
                file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            except FileNotFoundError:
                continue  # its folder was removed meanwhile
            except OSError:
                return Claim("", -1)  # a cache that cannot be written to: nothing is shared
            try:
                fcntl.flock(file, how)
                if _is_at(file, path):
                    return Claim(path, file)
            except BlockingIOError:
                os.close(file)
                return None
            except OSError:
                os.close(file)
                return Claim("", -1)  # a file system without locks
            os.close(file)  # who had it has removed it: what is there now is another


def _is_at(file: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False

"""Files that one process holds at a time, taken as DVC takes them, and waited for."""

import fcntl
import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple, Protocol

from mlxkit.core.errors import BusyError

POLL_SECONDS = 0.02

Say = Callable[[str], object]


class Held(Protocol):
    """A file that is ours until `close`."""

    def close(self) -> None: ...


class Trace(NamedTuple):
    """What the last one who took a lock left in its file."""

    text: bytes
    mtime_ns: int

    @property
    def may_be_held(self) -> bool:
        """Whether the one who left it still lives, and so may hold the lock."""
        pid = self.text.split()[:1]
        return bool(pid) and pid[0].isdigit() and is_alive(int(pid[0]))


NOBODY = Trace(b"", 0)

Take = Callable[[str, str], Held | None]
"""Takes the file at a path, with a folder for what it takes to do so; None where it is held."""


def is_alive(pid: int) -> bool:
    """Tell whether there is such a process, ours or another user's."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


class Flock:
    """A file held by the system's own lock; `before` is what the last holder had left in it."""

    def __init__(self, fd: int, before: Trace) -> None:
        self._fd = fd
        self.before = before

    def close(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        os.close(self._fd)


def take_flock(path: str, folder: str) -> Held | None:
    """Take a file as DVC does by default; raises OSError."""
    # Opened without truncation: the pid of the holder is read by those who wait.
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        if isinstance(error, BlockingIOError):
            return None
        raise
    before = read_trace(fd)
    try:
        os.ftruncate(fd, os.pwrite(fd, f" {os.getpid()}\n".encode(), 0))
    except OSError:
        pass  # a full disk: those who wait do not learn for whom, and `gc` can make room
    return Flock(fd, before)


def read_trace(fd: int) -> Trace:
    """Return what stands in an open lock file, and since when."""
    text = os.pread(fd, 64, 0)
    return Trace(text, os.fstat(fd).st_mtime_ns) if text else NOBODY


def take_hardlink(path: str, folder: str) -> Held | None:
    """Take the lock as DVC does under `core.hardlink_lock`, with its own code."""
    from dvc.lock import LockError, make_lock

    lock = make_lock(path, tmp_dir=folder, hardlink_lock=True)
    try:
        lock.lock(timeout=timedelta(microseconds=1))  # DVC takes 0 for its default, 3 s
    except LockError:
        return None

    class _Hardlink:
        def close(self) -> None:
            lock.unlock()

    return _Hardlink()


def wait_for(take: Take, path: str, folder: str, wait: float, say: Say | None = None) -> Held:
    """Take a file as soon as nobody has it; raises BusyError, naming the holder, after `wait`."""
    end = time.monotonic() + wait
    while True:
        held = take(path, folder)
        if held is not None:
            return held
        if time.monotonic() >= end:
            raise BusyError(
                f"another process{_holder(path)} holds {os.path.relpath(path)}",
                hint="wait for it to finish, or give --wait SECONDS",
            )
        if say is not None:
            say(f"waiting for another process{_holder(path)} to finish")
            say = None
        time.sleep(POLL_SECONDS)


def _holder(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            said = file.read(64).split()
    except OSError:
        return ""
    return f" (pid {said[0]})" if said and said[0].isdigit() else ""

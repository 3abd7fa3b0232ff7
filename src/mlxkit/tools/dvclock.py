"""DVC's two locks, honoured so that plain `dvc` beside us stays safe.

`.dvc/tmp/lock` is held while the project's files are changed, not while a stage's command runs.
`.dvc/tmp/rwlock` lists the paths that running stages read and write. DVC writes it in place, so a
kill can leave it empty or cut: then it is mended, because nobody can be asked what it said.
"""

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

from mlxkit.core.errors import BusyError
from mlxkit.core.files import write_atomic

POLL_SECONDS = 0.02

Say = Callable[[str], object]


class _Held(Protocol):
    def close(self) -> None: ...


class Trace(NamedTuple):
    """What the last one who took a lock left in its file."""

    text: bytes
    mtime_ns: int

    @property
    def may_be_held(self) -> bool:
        """Whether the one who left it still lives, and so may hold the lock."""
        pid = self.text.split()[:1]
        return bool(pid) and pid[0].isdigit() and _alive(int(pid[0]))


_NOBODY = Trace(b"", 0)


class RepoLock:
    """DVC's project lock; one process at a time changes the project's files."""

    def __init__(self, root: str, *, hardlink: bool = False) -> None:
        self._folder = os.path.join(root, ".dvc", "tmp")
        self._path = os.path.join(self._folder, "lock")
        self._hardlink = hardlink
        self._held: _Held | None = None
        self._before: Trace | None = None
        self._waited = False

    @property
    def held(self) -> bool:
        return self._held is not None

    def trace(self) -> Trace:
        """Return what tells whether somebody else holds the lock from now on, or does now."""
        try:
            with open(self._path, "rb") as file:
                return _trace(file.fileno())
        except OSError:
            return _NOBODY

    def taken_since(self, trace: Trace) -> bool:
        """Tell whether somebody else may have held the lock between `trace` and us."""
        return self._waited or self._before != trace or trace.may_be_held

    def acquire(self, wait: float, say: Say | None = None) -> None:
        """Take the lock; raises BusyError, naming the holder, after `wait` seconds."""
        if self._held is None:
            os.makedirs(self._folder, exist_ok=True)
            take = _take_hardlink if self._hardlink else _take_flock
            held = take(self._path, self._folder)
            self._waited = held is None
            if held is None:
                held = _poll(lambda: take(self._path, self._folder), wait, self._path, say)
            self._held = held
            self._before = held.before if isinstance(held, _Flock) else None

    def release(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    @contextmanager
    def holding(self, wait: float, say: Say | None = None) -> Iterator[None]:
        """Hold the lock; where we hold it already, keep it afterwards."""
        mine = not self.held
        self.acquire(wait, say)
        try:
            yield
        finally:
            if mine:
                self.release()

    @contextmanager
    def lent(self, wait: float) -> Iterator[None]:
        """Give the lock away, to DVC's own code or while commands run, and take it back."""
        had = self.held
        self.release()
        try:
            yield
        finally:
            if had:
                self.acquire(wait)


@dataclass(frozen=True, slots=True)
class Blocker:
    """Another live process that uses a path we want."""

    path: str
    pid: int
    cmd: str


class PathLocks:
    """DVC's read and write locks on paths."""

    def __init__(self, root: str, *, hardlink: bool = False) -> None:
        self._folder = os.path.join(root, ".dvc", "tmp")
        self._path = os.path.join(self._folder, "rwlock")
        self._take = _take_hardlink if hardlink else _take_flock
        # As DVC's own code in this process calls itself, so that it does not block itself on us.
        self._me: dict[str, Any] = {"pid": os.getpid(), "cmd": " ".join(sys.argv)}
        self.mended = False

    def acquire(self, read: Iterable[str], write: Iterable[str]) -> Blocker | None:
        """Register the absolute paths as ours, or return who blocks them and register nothing."""
        reads, writes = list(read), list(write)
        with self._edit() as table:
            blocker = _find_blocker(table["write"], [*reads, *writes], self._me) or _find_blocker(
                table["read"], writes, self._me
            )
            if blocker is None:
                for path in reads:
                    table["read"].setdefault(path, []).append(self._me)
                for path in writes:
                    table["write"][path] = self._me
        return blocker

    def release(self, read: Iterable[str], write: Iterable[str]) -> None:
        """Take our registration of these paths back.

        Where the disk is full it stays: nobody heeds one of a process that is gone.
        """
        with suppress(OSError), self._edit() as table:
            for path in read:
                readers = table["read"].get(path, [])
                if self._me in readers:
                    readers.remove(self._me)
                if not readers:
                    table["read"].pop(path, None)
            for path in write:
                if table["write"].get(path) == self._me:
                    del table["write"][path]

    def state(self) -> str:
        """Return `absent`, `whole` or `broken`."""
        try:
            with open(self._path, "rb") as file:
                return "whole" if _parse(file.read()) is not None else "broken"
        except FileNotFoundError:
            return "absent"

    def stale(self) -> list[Blocker]:
        """Return the registrations of processes that are gone."""
        return [one for one in self._registered() if not _alive(one.pid)]

    def mend(self) -> None:
        """Rewrite the table whole, without the processes that are gone."""
        with self._edit() as table:
            for path in list(table["read"]):
                table["read"][path] = [one for one in table["read"][path] if _alive(one["pid"])]
                if not table["read"][path]:
                    del table["read"][path]
            for path in list(table["write"]):
                if not _alive(table["write"][path]["pid"]):
                    del table["write"][path]

    def _registered(self) -> list[Blocker]:
        try:
            with open(self._path, "rb") as file:
                table = _parse(file.read())
        except FileNotFoundError:
            return []
        if table is None:
            return []
        return [
            Blocker(path, one["pid"], one["cmd"])
            for mode in ("read", "write")
            for path, found in table[mode].items()
            for one in (found if isinstance(found, list) else [found])
        ]

    @contextmanager
    def _edit(self) -> Iterator[dict[str, Any]]:
        os.makedirs(self._folder, exist_ok=True)
        guard = os.path.join(self._folder, "rwlock.lock")
        held = _poll(lambda: self._take(guard, self._folder), 10.0, guard)
        try:
            table = self._read()
            before = json.dumps(table)
            yield table
            after = json.dumps(table)
            if after != before or self.mended:
                # No fsync: after a power cut nobody holds a lock, and a broken table is mended.
                write_atomic(self._path, after.encode(), sync=False)
        finally:
            held.close()

    def _read(self) -> dict[str, Any]:
        try:
            with open(self._path, "rb") as file:
                table = _parse(file.read())
        except FileNotFoundError:
            return {"write": {}, "read": {}}
        if table is None:
            self.mended = True
            return {"write": {}, "read": {}}
        return table


def _parse(data: bytes) -> dict[str, Any] | None:
    """Return the table, or None where the file is not one."""
    try:
        raw = json.loads(data)
        writes = {str(path): _info(one) for path, one in raw.get("write", {}).items()}
        reads = {
            str(path): [_info(one) for one in readers]
            for path, readers in raw.get("read", {}).items()
        }
    except (ValueError, AttributeError, TypeError, KeyError):
        return None
    return {"write": writes, "read": reads}


def _info(one: Any) -> dict[str, Any]:
    return {"pid": int(one["pid"]), "cmd": str(one["cmd"])}


def _find_blocker(table: dict[str, Any], wanted: list[str], me: dict[str, Any]) -> Blocker | None:
    for path, found in table.items():
        others = found if isinstance(found, list) else [found]
        for other in others:
            if other["pid"] != me["pid"] and _meets(path, wanted) and _alive(other["pid"]):
                return Blocker(path, other["pid"], other["cmd"])
    return None


def _meets(path: str, wanted: list[str]) -> bool:
    return any(
        path == one or path.startswith(one + os.sep) or one.startswith(path + os.sep)
        for one in wanted
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


class _Flock:
    def __init__(self, fd: int, before: Trace) -> None:
        self._fd = fd
        self.before = before

    def close(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        os.close(self._fd)


def _take_flock(path: str, folder: str) -> _Held | None:
    # Opened without truncation: the pid of the holder is read by those who wait.
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        if isinstance(error, BlockingIOError):
            return None
        raise
    before = _trace(fd)
    try:
        os.ftruncate(fd, os.pwrite(fd, f" {os.getpid()}\n".encode(), 0))
    except OSError:
        pass  # a full disk: those who wait do not learn for whom, and `gc` can make room
    return _Flock(fd, before)


def _trace(fd: int) -> Trace:
    text = os.pread(fd, 64, 0)
    return Trace(text, os.fstat(fd).st_mtime_ns) if text else _NOBODY


def _take_hardlink(path: str, folder: str) -> _Held | None:
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


def _poll(take: "Any", wait: float, path: str, say: Say | None = None) -> _Held:
    end = time.monotonic() + wait
    while True:
        held: _Held | None = take()
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

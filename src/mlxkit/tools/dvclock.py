"""DVC's project lock, honoured so that plain `dvc` beside us stays safe.

`.dvc/tmp/lock` is held while the project's files are changed, not while a stage's command runs.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from mlxkit.tools.exclusive import (
    NOBODY,
    Flock,
    Held,
    Say,
    Trace,
    read_trace,
    take_flock,
    take_hardlink,
    wait_for,
)


class RepoLock:
    """DVC's project lock; one process at a time changes the project's files."""

    def __init__(self, root: str, *, hardlink: bool = False) -> None:
        self._folder = os.path.join(root, ".dvc", "tmp")
        self._path = os.path.join(self._folder, "lock")
        self._hardlink = hardlink
        self._held: Held | None = None
        self._before: Trace | None = None
        self._waited = False

    @property
    def held(self) -> bool:
        return self._held is not None

    def trace(self) -> Trace:
        """Return what tells whether somebody else holds the lock from now on, or does now."""
        try:
            with open(self._path, "rb") as file:
                return read_trace(file.fileno())
        except OSError:
            return NOBODY

    def taken_since(self, trace: Trace) -> bool:
        """Tell whether somebody else may have held the lock between `trace` and us."""
        return self._waited or self._before != trace or trace.may_be_held

    def acquire(self, wait: float, say: Say | None = None) -> None:
        """Take the lock; raises BusyError, naming the holder, after `wait` seconds."""
        if self._held is None:
            os.makedirs(self._folder, exist_ok=True)
            take = take_hardlink if self._hardlink else take_flock
            held = take(self._path, self._folder)
            self._waited = held is None
            if held is None:
                held = wait_for(take, self._path, self._folder, wait, say)
            self._held = held
            self._before = held.before if isinstance(held, Flock) else None

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

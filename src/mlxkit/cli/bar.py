"""Progress on a terminal: files, bytes, rate and time left, for work that takes over a second."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mlxkit.cli import terminal
from mlxkit.core.progress import SILENT, Progress

_PATIENCE = 1.0
_EVERY = 0.1


@contextmanager
def bar(*, quiet: bool = False) -> Iterator[Progress]:
    """Show a line that is rewritten in place; nothing where there is no terminal."""
    if quiet or not terminal.is_live(sys.stderr):
        yield SILENT
        return
    shown = _Bar()
    try:
        yield shown
    finally:
        shown.end()


class _Bar:
    """One line on stderr.

    Drawn by whoever tells it something and not by a thread: work on many files is forked, which
    a thread forbids.
    """

    def __init__(self) -> None:
        self._what = ""
        self._files: int | None = None
        self._size: int | None = None
        self._done = [0, 0]
        self._began = 0.0
        self._drawn = 0.0
        self._width = 0

    def begin(self, what: str, files: int | None = None, size: int | None = None) -> None:
        self.end()
        self._what, self._files, self._size = what, files, size
        self._done = [0, 0]
        self._began = self._drawn = time.monotonic()

    def advance(self, files: int = 1, size: int = 0) -> None:
        self._done[0] += files
        self._done[1] += size
        now = time.monotonic()
        if now - self._began >= _PATIENCE and now - self._drawn >= _EVERY:
            self._draw(now)

    def end(self) -> None:
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0

    def _draw(self, now: float) -> None:
        self._drawn = now
        text = self._text(now - self._began)[: terminal.width(sys.stderr) - 1]
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)

    def _text(self, seconds: float) -> str:
        files, size = self._done
        parts = [f"{self._what}: {files:,}" + (f" of {self._files:,}" if self._files else "")]
        if size:
            whole = f" of {terminal.size(self._size)}" if self._size else ""
            parts.append(f"{terminal.size(size)}{whole}")
            parts.append(f"{terminal.size(size / seconds)}/s")
        share = self._share()
        if share:
            parts.append(f"{terminal.duration(seconds / share - seconds)} left")
        return "  ".join(parts)

    def _share(self) -> float:
        files, size = self._done
        if self._size and size:
            return min(1.0, size / self._size)
        return min(1.0, files / self._files) if self._files else 0.0

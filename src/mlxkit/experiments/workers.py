"""Several runs at once, each in a forked process; no daemon: they end with who started them.

The parent has no threads and only waits: for what runs tell through a pipe each, for signals, for
the next moment to draw. A run learns from another pipe that the parent is gone, and stops.
"""

import json
import os
import selectors
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from mlxkit.experiments import place
from mlxkit.experiments.run import Work, run_one
from mlxkit.experiments.sweepdir import FAILED, STOPPED, Outcome, Run

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Watcher(Protocol):
    """Who shows a sweep while it goes."""

    def started(self, run: Run) -> None: ...
    def told(self, run: Run, event: dict[str, Any]) -> None: ...
    def ended(self, run: Run, outcome: Outcome) -> None: ...
    def tick(self) -> float | None:
        """Draw; return in how many seconds to be called again, None for when something happens."""
        ...


@dataclass(slots=True)
class _Child:
    run: Run
    pid: int
    pipe: int
    began: float
    said: bytearray = field(default_factory=bytearray)
    outcome: Outcome | None = None


class Workers:
    """Makes the runs of a sweep, so many at once."""

    def __init__(self, work: Work, jobs: int, watcher: Watcher) -> None:
        self._work = work
        self._jobs = jobs
        self._watcher = watcher
        self._children: dict[int, _Child] = {}
        self._stops = 0
        self._life: tuple[int, int] = (-1, -1)
        self._wake: tuple[int, int] = (-1, -1)

    def run(self, runs: Sequence[Run]) -> bool:
        """Make all runs; tell whether none of them was stopped by a signal."""
        left = list(reversed(runs))
        self._life, self._wake = os.pipe(), os.pipe()
        try:
            with self._signals(), selectors.DefaultSelector() as ready:
                ready.register(self._wake[0], selectors.EVENT_READ)
                while (left and not self._stops) or self._children:
                    while left and not self._stops and len(self._children) < self._jobs:
                        self._start(left.pop(), ready)
                    self._wait(ready)
        finally:
            for end in (*self._life, *self._wake):
                os.close(end)
        return not self._stops

    def _start(self, run: Run, ready: selectors.BaseSelector) -> None:
        self._work.folder.forget(run)
        reading, writing = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # until it has handlers of its own
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._be_child(run, writing)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(writing)
        self._children[reading] = _Child(run, pid, reading, time.monotonic())
        ready.register(reading, selectors.EVENT_READ)
        self._watcher.started(run)

    def _wait(self, ready: selectors.BaseSelector) -> None:
        for key, _ in ready.select(self._watcher.tick()):
            if key.fd == self._wake[0]:
                with suppress(BlockingIOError):
                    os.read(key.fd, 64)
                continue
            data = os.read(key.fd, 1 << 16)
            child = self._children[key.fd]
            if data:
                child.said += data
                self._hear(child)
            else:
                ready.unregister(key.fd)
                del self._children[key.fd]
                os.close(key.fd)
                self._bury(child)

    def _hear(self, child: _Child) -> None:
        *lines, rest = bytes(child.said).split(b"\n")
        child.said[:] = rest
        for line in lines:
            event = json.loads(line)
            if event["kind"] == "outcome":
                child.outcome = Outcome(**event["outcome"])
            else:
                self._watcher.told(child.run, event)

    def _bury(self, child: _Child) -> None:
        _, status = os.waitpid(child.pid, 0)
        outcome = child.outcome
        if outcome is None:  # it was killed, and what it had started may still run
            how = os.waitstatus_to_exitcode(status)
            why = f"was ended by {signal.Signals(-how).name}" if how < 0 else f"ended with {how}"
            seconds = round(time.monotonic() - child.began, 3)
            log = self._work.folder.log(child.run)
            outcome = Outcome(
                STOPPED if self._stops else FAILED,
                seconds,
                error=f"the run {why}",
                log=log if os.path.exists(log) else "",
            )
            place.clear_one(self._work.git_root, self._work.folder.tree(child.run))
        self._work.folder.write_outcome(child.run, outcome)
        self._watcher.ended(child.run, outcome)

    def _on_signal(self, number: int, _: object) -> None:
        self._stops += 1
        for child in self._children.values():
            with suppress(ProcessLookupError):
                os.kill(child.pid, number)  # a second one makes a run kill its stages
        with suppress(BlockingIOError):
            os.write(self._wake[1], b"\0")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        for end in self._wake:
            os.set_blocking(end, False)
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    # In the run's own process

    def _be_child(self, run: Run, pipe: int) -> None:
        code = 70
        try:
            os.setsid()  # Ctrl-C is for the parent, which tells us once
            for number in _SIGNALS:
                signal.signal(number, _interrupt)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            os.close(self._life[1])
            for child in self._children.values():
                os.close(child.pipe)
            _let_nobody_hear()
            _end_with(self._life[0])

            def tell(event: dict[str, Any]) -> None:
                with suppress(BrokenPipeError):
                    _write(pipe, json.dumps(event).encode() + b"\n")

            outcome = run_one(self._work, run, tell)
            self._work.folder.write_outcome(run, outcome)
            tell({"kind": "outcome", "outcome": outcome._asdict()})
            code = 0
        except BaseException:
            import traceback

            with suppress(OSError), open(self._work.folder.log(run), "a") as file:
                traceback.print_exc(file=file)
        finally:
            os._exit(code)


def _interrupt(number: int, frame: object) -> None:
    for one in _SIGNALS:
        signal.signal(one, signal.SIG_IGN)  # what is left to do is to clean up
    raise KeyboardInterrupt


def _let_nobody_hear() -> None:
    """What DVC or a library prints in a run must not get between the parent's lines."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)


def _end_with(life: int) -> None:
    """Stop when the parent is gone, as if it had told us to: nobody else can."""

    def watch() -> None:
        while os.read(life, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _write(pipe: int, data: bytes) -> None:
    while data:
        data = data[os.write(pipe, data) :]

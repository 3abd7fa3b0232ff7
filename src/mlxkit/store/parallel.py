"""The same work on many files at once, in forked processes.

Python's threads hand one lock around, which makes work on small files slower with each of them; a
forked process has everything that its parent had read, and a core of its own.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NoReturn, TypeVar

from mlxkit.core.errors import MlxError
from mlxkit.core.interrupts import uninterrupted

T = TypeVar("T")
R = TypeVar("R")

LEAST = 2000
"""Below so many files a process costs more than it brings."""
_CHUNK = 512
_PR_SET_PDEATHSIG = 1
_NUMBER, _HEAD = 4, 8
"""Bytes of the number of a piece of work, and of the length of an answer."""
_MOST = 1 << 20


def spread(
    function: Callable[[list[T]], R],
    items: Sequence[T],
    *,
    least: int = LEAST,
    chunk: int = _CHUNK,
) -> Generator[R, None, None]:
    """Yield `function(part)` for parts of `items`, in whatever order they are ready.

    The parts go to forked processes where there are `least` items, more than one core, and no
    other thread that a fork would stop at a bad moment; otherwise they are worked on here. What
    the function raises is raised here. Raises MlxError when a process dies. Whoever clears up
    after a failure closes this first (`closing`): until then the processes are at work.
    """
    parts = [list(items[start : start + chunk]) for start in range(0, len(items), chunk)]
    workers = min(_cores(), len(parts))
    if len(items) < least or workers < 2 or threading.active_count() > 1:
        for part in parts:
            yield function(part)
        return
    yield from _forked(function, parts, workers)


def _forked(
    function: Callable[[list[T]], R], parts: list[list[T]], workers: int
) -> Generator[R, None, None]:
    crew = _Crew()
    finished = False
    try:
        with uninterrupted():  # else some of them might not be known, and never end
            crew.start(lambda number: function(parts[number]), workers)
        yield from crew.work(len(parts))
        finished = True
    finally:
        with uninterrupted():  # the impatient press it twice
            crew.end(at_once=not finished)


class _Crew:
    """Forked processes, each with a pipe of its own to answer by; all read their work from one.

    Not `concurrent.futures`: a process that is ended in the midst of its answer leaves the thread
    that reads there waiting for the rest for ever. Here nobody else holds that pipe open.
    """

    def __init__(self) -> None:
        self._work, self._orders = os.pipe()
        self._pids: dict[int, int] = {}  # by the descriptor to read answers from

    def start(self, work: Callable[[int], Any], count: int) -> None:
        """Fork so many; raises OSError."""
        parent = os.getpid()
        for _ in range(count):
            answers, reply = os.pipe()
            pid = os.fork()
            if pid == 0:
                _serve(work, parent, self._work, reply, (self._orders, answers, *self._pids))
            os.close(reply)
            self._pids[answers] = pid

    def work(self, count: int) -> Iterator[Any]:
        """Have the work with the numbers below `count` done; yield the answers as they come."""
        import pickle
        import select

        poll = select.poll()
        for fd in self._pids:
            poll.register(fd, select.POLLIN)
        numbers = iter(range(count))
        self._order(islice(numbers, 2 * len(self._pids)))  # none is ever idle
        while count:
            for fd, _ in poll.poll():
                good, answer = pickle.loads(self._read(fd, int.from_bytes(self._read(fd, _HEAD))))
                self._order(islice(numbers, 1))
                count -= 1
                if not good:
                    raise answer
                yield answer

    def end(self, *, at_once: bool) -> None:
        """End all of them, and wait until they have."""
        os.close(self._orders)  # whoever waits for more work ends
        for fd, pid in self._pids.items():
            if at_once:
                os.kill(pid, signal.SIGTERM)  # nobody waits for what it works on
            os.waitpid(pid, 0)
            os.close(fd)
        os.close(self._work)

    def _order(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            os.write(self._orders, number.to_bytes(_NUMBER))

    def _read(self, fd: int, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            more = os.read(fd, min(size - len(data), _MOST))
            if not more:
                raise MlxError(
                    "a process that worked on the files was killed (out of memory?)",
                    hint="try again",
                )
            data += more
        return bytes(data)


def _serve(
    work: Callable[[int], Any], parent: int, orders: int, reply: int, others: Iterable[int]
) -> NoReturn:
    """Be one of a crew, to the end of the process."""
    try:
        _begin(parent)
        for fd in others:
            os.close(fd)
        while number := os.read(orders, _NUMBER):
            answer = memoryview(_answer(work, int.from_bytes(number)))
            while answer:
                answer = answer[os.write(reply, answer) :]
    finally:
        os._exit(0)


def _answer(work: Callable[[int], Any], number: int) -> bytes:
    """Do a piece of work; what came of it, good or bad, with its length in front."""
    import pickle

    try:
        data = pickle.dumps((True, work(number)), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        data = pickle.dumps((False, _told(error)))
    return len(data).to_bytes(_HEAD) + data


def _told(error: Exception) -> Exception:
    """Return an error in a form that another process can read."""
    import pickle
    import traceback

    if not isinstance(error, (MlxError, OSError)):
        error.add_note(f"in a process of its own:\n{traceback.format_exc()}")  # for who mends it
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        if isinstance(error, MlxError):
            return MlxError(error.message, hint=error.hint, where=error.where)
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _begin(parent: int) -> None:
    # Ctrl-C goes to the whole group: the parent says so, and ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        _die_with_parent()
    if os.getppid() != parent:
        # It was killed before we could ask for that. Whatever we hold, such as the project's
        # lock, which every fork inherits, would be held for ever.
        os._exit(1)


def _die_with_parent() -> None:
    """Ask the system to end this process when its parent is killed: it would wait for ever."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

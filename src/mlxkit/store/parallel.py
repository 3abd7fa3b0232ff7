"""The same work on many files at once, in forked processes.

Python's threads hand one lock around, which makes work on small files slower with each of them; a
forked process has everything that its parent had read, and a core of its own.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from mlxkit.core.errors import MlxError
from mlxkit.core.interrupts import uninterrupted

T = TypeVar("T")
R = TypeVar("R")

LEAST = 2000
"""Below so many files a process costs more than it brings."""
_CHUNK = 512
_PR_SET_PDEATHSIG = 1


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
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    global _work  # noqa: PLW0603
    _work = (function, parts)  # the processes inherit it: only numbers have to travel
    fork = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(workers, fork, initializer=_begin, initargs=(os.getpid(),))
    finished = False
    try:
        with uninterrupted():  # else it could be lost in a fork, or leave half a pool
            waiting = {pool.submit(_do, number) for number in range(len(parts))}
        for done in as_completed(waiting):
            waiting.discard(done)  # its result is not kept once it is used
            yield done.result()
        finished = True
    except BrokenProcessPool:
        raise MlxError(
            "a process that worked on the files was killed (out of memory?)", hint="try again"
        ) from None
    finally:
        with uninterrupted():  # the impatient press it twice
            for child in () if finished else multiprocessing.active_children():
                child.terminate()  # nobody waits for what it works on
            pool.shutdown(wait=True, cancel_futures=True)
        _work = None


_work: tuple[Callable[[Any], Any], list[Any]] | None = None


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


def _do(number: int) -> Any:
    assert _work is not None
    function, parts = _work
    return function(parts[number])


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

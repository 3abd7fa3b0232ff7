"""Holding Ctrl-C back where it would be lost, or would leave something half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the block has ended; it is then told as usual."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield  # Python tells the main thread alone; or a handler that is not Python's
        return
    pressed: list[int] = []
    # A handler, and not the mask of signals: that is a thread's own, and the signal would reach
    # another one.
    try:
        signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)

"""Holding Ctrl-C back where it would be lost, or would leave something half done."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_CTRL_C = {signal.SIGINT}


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the block has ended; it is then told as usual."""
    try:
        # In the `try`: an interruption that came just before is raised here, with the signal held.
        signal.pthread_sigmask(signal.SIG_BLOCK, _CTRL_C)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _CTRL_C)

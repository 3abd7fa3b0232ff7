"""Work on one object at a server, tried again where that may help."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from mlxkit.data.transfer.copy import NO_ROOM, TOO_LONG, WRONG
from mlxkit.data.transfer.items import ABSENT, LOCAL, REMOTE, Failure, Item
from mlxkit.tools.dvc_remote import TooLong, is_refused, one_line

_GIVE_UP = 16
"""So many objects in a row that fail, each after all its tries, and the rest is not tried."""


class Patience(NamedTuple):
    """How long to wait before each further try."""

    pauses: Sequence[float] = (0.2, 1.0)
    sleep: Callable[[float], object] = time.sleep


USUAL = Patience()


class Wrong(Exception):
    """An object's bytes are not what its name says, on one of the sides."""


class Tries:
    """Work on one object, tried again where that may help; never raises."""

    def __init__(self, work: Callable[[Item], int], source_side: str, patience: Patience) -> None:
        self._work = work
        self._source_side = source_side
        self._patience = patience
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._stopped = False

    def stop(self) -> None:
        """Try nothing any more."""
        self._stopped = True

    def __call__(self, item: Item) -> int | Failure:
        if self._stopped:
            return Failure("not tried: stopped before")
        if self._in_a_row >= _GIVE_UP:
            return Failure("not tried: too many before it failed")
        result = self._tried(item)
        with self._lock:
            dead = isinstance(result, Failure) and result.passing and result.why != WRONG
            self._in_a_row = self._in_a_row + 1 if dead else 0
        return result

    def _tried(self, item: Item) -> int | Failure:
        failure = Failure("")
        for pause in (*self._patience.pauses, None):
            try:
                return self._work(item)
            except Exception as error:  # a library behind DVC may raise anything
                failure = self._failure(error)
            if not failure.passing or pause is None or self._stopped:
                break
            self._patience.sleep(pause)
        return failure

    def _failure(self, error: Exception) -> Failure:
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            return Failure(ABSENT, self._source_side)
        if isinstance(error, Wrong):
            return Failure(WRONG, str(error), passing=str(error) == REMOTE)
        if isinstance(error, TooLong):
            return Failure(TOO_LONG)
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return Failure(one_line(error), LOCAL, full=True)
        return Failure(one_line(error), passing=is_passing(error))


def is_passing(error: Exception) -> bool:
    """Tell whether another try may help."""
    hopeless = isinstance(error, (NotImplementedError, ValueError, TypeError))
    return not (hopeless or is_refused(error))

"""Doing something in a process that dies on the way, or that has no special rights."""

import ctypes
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

DIED = 77


def dies_before(number: int, calls: tuple[str, ...], work: Callable[[], object]) -> bool:
    """Run `work` in a fork that ends, as by SIGKILL, before the `number`th of these `os` calls.

    False when it came to its end before.
    """
    pid = os.fork()
    if pid == 0:
        left = number

        def tick() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(DIED)

        for name in calls:
            setattr(os, name, _counted(getattr(os, name), tick))
        _work_and_exit(work)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, DIED), f"it failed by itself with {code}"
    return code == DIED


def _counted(call: Any, tick: Callable[[], None]) -> Any:
    def counted(*args: Any, **kwargs: Any) -> Any:
        tick()
        return call(*args, **kwargs)

    return counted


def as_plain_user(work: Callable[[], object]) -> None:
    """Run `work` in a fork where the modes of files count, also for root; fails if it raises."""
    pid = os.fork()
    if pid == 0:
        if os.geteuid() == 0:
            _give_up_capabilities()
        _work_and_exit(work)
    _, status = os.waitpid(pid, 0)
    assert status == 0, "it failed: see stderr"


def _give_up_capabilities() -> None:
    """Be root without its power over files (Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    none = (ctypes.c_uint32 * 6)()
    if libc.capset(header, none) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _work_and_exit(work: Callable[[], object]) -> None:
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

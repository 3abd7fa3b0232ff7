"""Measures what a process used of the machine, with all children that it waited for."""

import os
import sys
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from subprocess import Popen

_LINUX = sys.platform.startswith("linux")
_MAXRSS_UNIT = 1024 if _LINUX else 1
_SLACK = 1 << 20
"""How far the kernel's counters of memory may lag."""


_Number = TypeVar("_Number", int, float)


class Usage(NamedTuple):
    """What was used; None where the system does not tell."""

    cpu_seconds: float | None = None
    peak_memory: int | None = None
    read_bytes: int | None = None
    written_bytes: int | None = None
    gpu_seconds: float | None = None

    def plus(self, other: "Usage") -> "Usage":
        """Return what both used, one after the other; what one does not know is not counted."""
        return Usage(
            _both(self.cpu_seconds, other.cpu_seconds),
            max((one for one in (self[1], other[1]) if one is not None), default=None),
            _both(self.read_bytes, other.read_bytes),
            _both(self.written_bytes, other.written_bytes),
            _both(self.gpu_seconds, other.gpu_seconds),
        )


def wait_and_measure(process: "Popen[bytes]") -> tuple[int, Usage]:
    """Wait for the end of a child that has just been started; return its code and what it used."""
    floor = _own_peak()
    # Ended but not yet reaped, /proc still has its counters, those of waited-for children added.
    read, written = None, None
    if _LINUX:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        read, written = _read_and_written(process.pid)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = used.ru_maxrss * _MAXRSS_UNIT
    # On Linux a child begins with the peak of the one that started it: below that, nothing is
    # known of its own.
    known = peak > floor + _SLACK
    cpu = used.ru_utime + used.ru_stime
    return process.returncode, Usage(cpu, peak if known else None, read, written)


def _own_peak() -> int:
    if not _LINUX:
        return -_SLACK
    try:
        with open("/proc/self/status", "rb") as file:
            for line in file:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


def _read_and_written(pid: int) -> tuple[int | None, int | None]:
    try:
        with open(f"/proc/{pid}/io", "rb") as file:
            values = dict(line.split(b":") for line in file)
        return int(values[b"rchar"]), int(values[b"wchar"])
    except (OSError, ValueError, KeyError):
        return None, None


def _both(one: _Number | None, other: _Number | None) -> _Number | None:
    if one is None or other is None:
        return one if other is None else other
    return one + other

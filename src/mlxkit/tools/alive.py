"""Tells whether a process that was noted earlier is still the same and there."""

import os


def is_running(pid: int, started: str) -> bool:
    """Tell whether the process that `start_mark` described is still there."""
    return start_mark(pid) == started != ""


def start_mark(pid: int) -> str:
    """Return what tells a process from a later one with the same pid; empty when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return "" if fields[0] == "Z" else fields[19]
    except FileNotFoundError:
        if os.path.isdir("/proc/self"):
            return ""
    except (OSError, IndexError):
        return ""
    import psutil

    try:
        return str(psutil.Process(pid).create_time())
    except psutil.Error:
        return ""

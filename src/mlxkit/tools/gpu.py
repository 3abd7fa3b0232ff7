"""Counts how long the processes of a command hold GPUs, as NVIDIA's own tool sees them."""

import os
import threading
import time

DRIVER = "/sys/module/nvidia/version"
INTERVAL = 2.0
_TIMEOUT = 10
_ASK = ["nvidia-smi", "--query-compute-apps=gpu_uuid,pid", "--format=csv,noheader,nounits"]


class GpuWatch:
    """Asks every two seconds which GPUs the processes of a session hold; None counts as unknown.

    Without an NVIDIA driver nothing is started and nothing is asked.
    """

    def __init__(self, session: int) -> None:
        self._session = session
        self._seconds: float | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        if os.path.exists(DRIVER):
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()

    def stop(self) -> float | None:
        """Stop asking; return GPUs times seconds, None where none was seen in use."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(INTERVAL)  # a driver in trouble may never answer
        return self._seconds

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._ended.wait(INTERVAL):
            held = _held(self._session)
            now = time.monotonic()
            if held is None:
                return  # no tool, or it does not answer: as without a driver
            if held:
                self._seconds = (self._seconds or 0.0) + (now - before) * held
            before = now


def used_gpus(told: str, session: int) -> int:
    """Return how many GPUs processes of the session hold, from lines of `uuid, pid`."""
    found = set()
    for line in told.splitlines():
        gpu, _, pid = line.partition(",")
        if pid.strip().isdigit() and _session_of(int(pid)) == session:
            found.add(gpu.strip())
    return len(found)


def _held(session: int) -> int | None:
    import subprocess

    try:
        done = subprocess.run(
            _ASK, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return used_gpus(done.stdout.decode(errors="replace"), session)


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (OSError, OverflowError):
        return None

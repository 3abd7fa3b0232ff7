"""Asks a model something in a process of its own, with a limit of memory and time."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from mlxkit.core.files import scratch_folder
from mlxkit.gates.models import calling
from mlxkit.gates.verdict import Unjudged

_LARGEST = 1 << 22
_PAUSE = 0.05
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_NUM_THREADS")


def ask(task: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answer to one of `calling.TASKS`; raises Unjudged where there is none.

    `within` and `limit` of the request are the seconds and bytes that it may take. It sees none of
    this process's environment, so no tokens, and one thread is what libraries may use.
    """
    with scratch_folder("mlx-model-") as folder:
        env = {name: os.environ[name] for name in _KEPT if name in os.environ}
        env |= dict.fromkeys(_THREADS, "1") | {"HOME": folder, "TMPDIR": folder}
        with tempfile.TemporaryFile() as told:
            told.write(json.dumps({"task": task, **request}).encode())
            told.seek(0)
            process = subprocess.Popen(
                [sys.executable, "-I", "-B", calling.__file__],
                stdin=told,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env=env,
                start_new_session=True,
            )
        try:
            data = _read(process, request["within"], request["limit"])
        finally:
            _end(process)
    return _answer(data, process.returncode)


def _read(process: subprocess.Popen[bytes], within: float, limit: int) -> bytes:
    """Return all that the process says; raises Unjudged where it takes too long or too much."""
    assert process.stdout is not None
    ends = time.monotonic() + within
    found = bytearray()
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        while True:
            if waiting.select(_PAUSE):
                data = os.read(process.stdout.fileno(), 1 << 16)
                if not data:
                    break
                found += data
            if len(found) > _LARGEST:
                raise Unjudged("its process says too much: it was ended")
            if time.monotonic() > ends:
                raise Unjudged(f"it took more than {within:g} s: it was ended")
            # The address space is limited already, where the system does that.
            if _resident(process.pid) > limit:
                raise Unjudged(f"it took more than {limit >> 20} MiB: it was ended")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.1, ends - time.monotonic()))
    return bytes(found)


def _resident(pid: int) -> int:
    """Return the bytes of a process; 0 for one that has ended."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process with all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        process.stdout.close()
    process.wait()


def _answer(data: bytes, code: int) -> Mapping[str, Any]:
    try:
        answer = json.loads(data)
    except ValueError:
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with {code}"
        raise Unjudged(f"it cannot be called: its process ended {how}") from None
    if "error" in answer:
        raise Unjudged(f"it cannot be called: {answer['error']}")
    found: Mapping[str, Any] = answer
    return found

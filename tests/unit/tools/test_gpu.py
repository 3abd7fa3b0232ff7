"""Seconds that a command's processes hold GPUs; a script stands in for `nvidia-smi`."""

import os
import queue
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlxkit.tools import gpu
from mlxkit.tools.gpu import used_gpus
from mlxkit.tools.process import Commands, Ended


@pytest.fixture
def other() -> Iterator[int]:
    """A process in a session of its own."""
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield process.pid
    process.kill()
    process.wait()


def test_gpus_of_a_session_and_of_nobody_else(other: int) -> None:
    mine = os.getpid()
    told = f"GPU-1, {other}\nGPU-2, {other}\nGPU-2, {other}\nGPU-3, {mine}\nGPU-4, 4194305\n"
    assert used_gpus(told, other) == 2
    assert used_gpus(told, 4194306) == 0
    assert used_gpus("", other) == used_gpus("No devices were found\n", other) == 0
    assert used_gpus(f"GPU-1, [N/A]\nGPU-1, {10**30}\n", other) == 0


def _gpu_seconds(folder: Path, line: str) -> float | None:
    ended: queue.SimpleQueue[Ended] = queue.SimpleQueue()
    env = {"PATH": os.environ["PATH"]}
    Commands([line], cwd=str(folder), env=env, log=str(folder / "log"), on_end=ended.put).start()
    return ended.get(timeout=60).gpu_seconds


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Something at the place of `nvidia-smi` that says what the file `apps` says."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/apps && echo . >> {tmp_path}/asked\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(gpu, "DRIVER", str(program))
    monkeypatch.setattr(gpu, "INTERVAL", 0.01)
    return tmp_path


# The command goes on until it was asked for a few times.
WAIT = 'while [ "$(wc -l < asked 2>/dev/null || echo 0)" -lt 4 ]; do sleep 0.01; done'


@pytest.mark.skipif(sys.platform != "linux", reason="as the tool")
def test_the_time_that_gpus_are_held(tool: Path) -> None:
    found = _gpu_seconds(tool, f'printf "GPU-1, $$\\nGPU-2, $$\\n" > apps; {WAIT}')
    assert found is not None and 0 < found < 60


@pytest.mark.skipif(sys.platform != "linux", reason="as the tool")
def test_none_seen_is_not_zero(tool: Path) -> None:
    (tool / "apps").write_text("GPU-1, 1\n")
    assert _gpu_seconds(tool, WAIT) is None


def test_without_an_answer_or_a_driver_nothing_is_known(
    tool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _gpu_seconds(tool, "sleep 0.1") is None, "there is no file `apps`"
    (tool / "apps").write_text("")
    monkeypatch.setattr(gpu, "DRIVER", "/nowhere")
    assert _gpu_seconds(tool, "true") is None
    assert not (tool / "asked").exists()

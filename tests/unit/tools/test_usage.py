"""What commands used: processors, memory, bytes; told by the system of real processes."""

import os
import queue
import subprocess
import sys
from pathlib import Path

import pytest

from mlxkit.tools.process import Commands, Ended
from mlxkit.tools.usage import Usage

MIB = 1 << 20
LINUX = sys.platform.startswith("linux")
PYTHON = f"{os.path.realpath(sys.executable)} -I -S -c"
BURN = "import time\nwhile time.process_time() < 0.3: pass"
HOLD = "x = bytearray(200 << 20); x[::4096] = bytes([1]) * len(x[::4096])"


def _used(folder: Path, *lines: str) -> Ended:
    ended: queue.SimpleQueue[Ended] = queue.SimpleQueue()
    Commands(
        list(lines),
        cwd=str(folder),
        env={"PATH": os.environ["PATH"]},
        log=str(folder / "log"),
        on_end=ended.put,
    ).start()
    return ended.get(timeout=60)


@pytest.mark.parametrize("form", ["{}", "true; {}; true", "({}) & wait", "{} | cat"])
def test_processors_of_all_that_a_command_waits_for(form: str, tmp_path: Path) -> None:
    (tmp_path / "burn.py").write_text(BURN)
    line = form.format(f"{os.path.realpath(sys.executable)} -I -S burn.py")
    found = _used(tmp_path, line)
    assert found.code == 0
    assert found.cpu_seconds is not None and 0.3 <= found.cpu_seconds < 3


def test_processors_of_several_commands_add_up(tmp_path: Path) -> None:
    (tmp_path / "burn.py").write_text(BURN)
    line = f"{os.path.realpath(sys.executable)} -I -S burn.py"
    found = _used(tmp_path, line, line)
    assert found.cpu_seconds is not None and found.cpu_seconds >= 0.6


@pytest.mark.parametrize("form", ["{}", "true; {}; true"])
def test_the_most_memory_that_one_process_held(form: str, tmp_path: Path) -> None:
    lines = ["true", form.format(f"{PYTHON} '{HOLD}'"), "true"]
    # In a process of its own: this one may have held more, which a child begins with.
    script = (
        "import sys; from pathlib import Path; from tests.unit.tools.test_usage import _used;"
        "print(_used(Path(sys.argv[1]), *sys.argv[2:]).peak_memory)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), *lines],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        check=True,
    )
    assert 200 * MIB <= int(told.stdout) < 260 * MIB


@pytest.mark.skipif(not LINUX, reason="only there a child begins with its parent's peak")
def test_our_own_memory_is_not_taken_for_the_command_s(tmp_path: Path) -> None:
    assert _used(tmp_path, "true").peak_memory is None


@pytest.mark.skipif(not LINUX, reason="only there the system tells")
@pytest.mark.parametrize("form", ["{}", "true; {}; true", "({}) & wait"])
def test_bytes_read_and_written(form: str, tmp_path: Path) -> None:
    found = _used(tmp_path, form.format("head -c 10000000 /dev/zero > big"))
    assert found.written_bytes == 10_000_000
    assert found.read_bytes is not None and 10_000_000 <= found.read_bytes < 10_500_000


@pytest.mark.parametrize(("line", "code"), [("exit 3", 3), ("kill -9 $$", -9), ("nothing-so", 127)])
def test_a_command_that_fails_is_measured_too(line: str, code: int, tmp_path: Path) -> None:
    found = _used(tmp_path, line, "true")
    assert found.code == code
    assert found.cpu_seconds is not None and found.cpu_seconds > 0


def test_what_is_not_known_is_not_zero(tmp_path: Path) -> None:
    found = _used(tmp_path / "nowhere", "true")
    assert found.code == 126
    assert (found.cpu_seconds, found.written_bytes, found.gpu_seconds) == (None, None, None)


def test_sums() -> None:
    nothing, some = Usage(), Usage(1.0, 5, 10, 20)
    assert nothing.plus(nothing) == nothing
    assert nothing.plus(some) == some == some.plus(nothing)
    assert some.plus(Usage(0.5, 3, 1, 2)) == Usage(1.5, 5, 11, 22)

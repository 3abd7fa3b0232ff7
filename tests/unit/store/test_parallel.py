"""Work on many files in forked processes."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from mlxkit.core.errors import MlxError
from mlxkit.store import parallel
from mlxkit.store.errors import DiskFull
from mlxkit.store.parallel import spread


def _doubled(part: list[int]) -> list[int]:
    return [2 * one for one in part]


def _pid(part: list[int]) -> int:
    return os.getpid()


@pytest.mark.parametrize("count", [0, 1, 99, 1000])
@pytest.mark.parametrize("least", [10, 10_000])
def test_everything_is_worked_on_once(count: int, least: int) -> None:
    parts = spread(_doubled, range(count), least=least, chunk=7)
    assert sorted(one for part in parts for one in part) == list(range(0, 2 * count, 2))


def test_few_are_worked_on_here() -> None:
    assert set(spread(_pid, range(100), least=1000, chunk=10)) == {os.getpid()}


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork whatever threads other tests have left running in this process."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core only")
    monkeypatch.setattr(threading, "active_count", lambda: 1)


@pytest.mark.usefixtures("forks")
def test_many_are_worked_on_elsewhere() -> None:
    assert os.getpid() not in set(spread(_pid, range(100), least=10, chunk=10))


def test_beside_other_threads_there_is_no_fork() -> None:
    go = threading.Event()
    other = threading.Thread(target=go.wait)
    other.start()
    try:
        assert set(spread(_pid, range(100), least=10, chunk=10)) == {os.getpid()}
    finally:
        go.set()
        other.join()


@pytest.mark.parametrize("least", [10, 10_000])
def test_what_goes_wrong_is_said_here_with_its_hint(least: int) -> None:
    def fail(part: list[int]) -> None:
        if 55 in part:
            raise DiskFull("no room", hint="make some")

    with pytest.raises(DiskFull, match="no room") as caught:
        list(spread(fail, range(100), least=least, chunk=10))
    assert caught.value.hint == "make some"


@pytest.mark.usefixtures("forks")
def test_a_process_that_dies_is_an_error() -> None:
    def die(part: list[int]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(MlxError, match="was killed"):
        list(spread(die, range(100), least=10, chunk=10))


def test_stopping_early_leaves_no_process() -> None:
    first = next(iter(spread(_pid, range(1000), least=10, chunk=10)))
    assert first


def _ended_by(begin: int) -> int:
    """How a process ends that begins as if it had that parent."""
    pid = os.fork()
    if pid == 0:
        parallel._begin(begin)
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_process_whose_parent_was_killed_before_it_began_ends() -> None:
    """It would wait for work for ever, and hold the project's lock, which it has inherited."""
    assert _ended_by(os.getpid()) == 7
    assert _ended_by(os.getppid()) == 1


@pytest.mark.usefixtures("forks")
def test_ctrl_c_is_the_parents() -> None:
    """It goes to all: a process that dies of it would look like one that was killed."""

    def press(part: list[int]) -> list[int]:
        os.kill(os.getpid(), signal.SIGINT)
        return part

    with closing(spread(press, range(100), least=10, chunk=10)) as parts:
        assert sorted(one for part in parts for one in part) == list(range(100))


@pytest.mark.usefixtures("forks")
def test_ctrl_c_ends_all_processes_before_it_is_told() -> None:
    def pids(part: list[int]) -> int:
        if part[0] > 20:
            signal.pause()
        return os.getpid()

    seen = set()
    with (
        pytest.raises(KeyboardInterrupt),
        closing(spread(pids, range(1000), least=10, chunk=10)) as parts,
    ):
        for pid in parts:
            seen.add(pid)
            os.kill(os.getpid(), signal.SIGINT)
    for pid in seen:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.usefixtures("forks")
def test_ctrl_c_while_they_answer_at_length() -> None:
    """Nobody waits for the rest of an answer."""
    for _ in range(10):
        with (
            pytest.raises(KeyboardInterrupt),
            closing(spread(lambda part: bytes(8 << 20), range(400), least=10, chunk=10)) as parts,
        ):
            for part in parts:
                assert len(part) == 8 << 20
                os.kill(os.getpid(), signal.SIGINT)


class Peculiar(Exception):
    """Cannot be made from what it says, as pickle would."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


@pytest.mark.usefixtures("forks")
def test_an_error_of_any_kind_is_said_here() -> None:
    def fail(part: list[int]) -> None:
        raise Peculiar("quite", "odd")

    with pytest.raises(Exception, match="quite odd"):
        list(spread(fail, range(100), least=10, chunk=10))


def test_what_must_not_be_interrupted_is_not() -> None:
    script = (
        "import os, signal\n"
        "from mlxkit.core.interrupts import uninterrupted\n"
        "done = []\n"
        "try:\n"
        "    with uninterrupted():\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        done.append(1)\n"
        "except KeyboardInterrupt:\n"
        "    print(done)\n"
    )
    # In a process of its own: other threads, such as those of the tests, would get the signal.
    told = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
    assert told.stdout == b"[1]\n"

"""Work on many files in forked processes."""

import os
import signal
import threading

import pytest

from mlxkit.core.errors import MlxError
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

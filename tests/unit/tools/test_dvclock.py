"""DVC's two locks, against DVC's own classes in both directions."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from dvc.fs import localfs
from dvc.lock import LockError, make_lock
from dvc.rwlock import RWLOCK_FILE, RWLOCK_LOCK, SCHEMA, rwlock
from tests.support.project import Project

from mlxkit.core.errors import BusyError
from mlxkit.project import open_for_run
from mlxkit.tools.dvc_path_locks import PathLocks
from mlxkit.tools.dvclock import RepoLock

HARDLINK = [False, True]


def _tmp(root: str, name: str = "") -> str:
    return os.path.join(root, ".dvc", "tmp", name)


def _dvcs_lock(root: str, hardlink: bool) -> Any:
    """The project's lock as DVC makes it."""
    return make_lock(_tmp(root, "lock"), tmp_dir=_tmp(root), hardlink_lock=hardlink, friendly=True)


def _dvc_takes_it_at_once(root: str, hardlink: bool) -> bool:
    """One attempt of DVC's; it makes several over three seconds."""
    lock = _dvcs_lock(root, hardlink)
    try:
        if hardlink:
            from datetime import timedelta

            lock.lock(timeout=timedelta(microseconds=1))
        else:
            lock._do_lock()
    except LockError:
        return False
    lock.unlock()
    return True


@contextmanager
def other_process(root: str, code: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs `code` with `root`, says it is ready, and ends when told."""
    script = (
        f"import os, sys\nroot = {root!r}\n{code}\nprint('ready', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()


DVC_HOLDS = """
from dvc.lock import make_lock
tmp = os.path.join(root, '.dvc', 'tmp')
lock = make_lock(os.path.join(tmp, 'lock'), tmp_dir=tmp, hardlink_lock={hardlink})
lock.lock()
import atexit
atexit.register(lock.unlock)
"""


class TestProject:
    """`.dvc/tmp/lock`."""

    def test_while_dvc_holds_it_we_are_busy_and_name_it(self, root: str) -> None:
        lock = RepoLock(root)
        with other_process(root, DVC_HOLDS.format(hardlink=False)) as dvc:
            with pytest.raises(BusyError, match=f"pid {dvc.pid}") as caught:
                lock.acquire(0)
            assert caught.value.exit_code == 5
            assert caught.value.hint
            assert not lock.held
        lock.acquire(0)
        lock.release()

    def test_while_dvc_holds_the_hard_link_we_are_busy(self, root: str) -> None:
        lock = RepoLock(root, hardlink=True)
        with other_process(root, DVC_HOLDS.format(hardlink=True)), pytest.raises(BusyError):
            lock.acquire(0)
        lock.acquire(0)
        lock.release()

    @pytest.mark.parametrize("hardlink", HARDLINK)
    def test_while_we_hold_it_dvc_cannot_take_it(self, hardlink: bool, root: str) -> None:
        lock = RepoLock(root, hardlink=hardlink)
        lock.acquire(0)
        assert not _dvc_takes_it_at_once(root, hardlink)
        lock.release()
        assert _dvc_takes_it_at_once(root, hardlink)
        lock.acquire(0)
        lock.release()

    def test_its_file_names_us_as_dvc_would(self, root: str) -> None:
        with RepoLock(root).holding(0), open(_tmp(root, "lock")) as file:
            assert file.read() == f" {os.getpid()}\n"

    def test_a_longer_text_of_an_earlier_holder_does_not_shine_through(self, root: str) -> None:
        with open(_tmp(root, "lock"), "w") as file:
            file.write(" 123456789012\n")
        with RepoLock(root).holding(0), open(_tmp(root, "lock")) as file:
            assert file.read().split() == [str(os.getpid())]

    def test_waiting_ends_when_the_lock_is_free(self, root: str) -> None:
        lock = RepoLock(root)
        with other_process(root, DVC_HOLDS.format(hardlink=False)) as dvc:
            dvc.kill()
            lock.acquire(60)
        assert lock.held
        lock.release()

    def test_it_tells_whether_somebody_held_it_since(self, root: str) -> None:
        """Then what was read before may be another's by now."""
        nobody = RepoLock(root).trace()
        lock = RepoLock(root)
        with lock.holding(0):
            assert not lock.taken_since(nobody)
        with other_process(root, DVC_HOLDS.format(hardlink=False)):
            held = lock.trace()
        with lock.holding(0):
            assert lock.taken_since(nobody)
            assert not lock.taken_since(held), "the one who held it then is gone, and nobody came"
        with other_process(root, DVC_HOLDS.format(hardlink=False)) as dvc:
            trace, said = lock.trace(), []

            def end(text: str) -> None:
                said.append(text)
                dvc.kill()

            lock.acquire(60, end)
        assert lock.taken_since(trace) and said == [
            f"waiting for another process (pid {dvc.pid}) to finish"
        ]
        lock.release()

    def test_a_hard_link_tells_nothing_so_somebody_may_have_held_it(self, root: str) -> None:
        lock = RepoLock(root, hardlink=True)
        trace = lock.trace()
        with lock.holding(0):
            assert lock.taken_since(trace)

    def test_holding_twice_gives_it_back_once(self, root: str) -> None:
        lock = RepoLock(root)
        with lock.holding(0):
            with lock.holding(0):
                pass
            assert lock.held
        assert not lock.held

    def test_lent_it_is_free_for_dvc_and_ours_again_after_an_error(self, root: str) -> None:
        lock = RepoLock(root)
        with lock.holding(0):
            with pytest.raises(KeyError), lock.lent(0):
                assert _dvc_takes_it_at_once(root, False)
                raise KeyError
            assert lock.held
        with lock.lent(0):
            assert not lock.held
        assert not lock.held, "what was not held is not taken"


DVC_USES = """
from dvc.fs import localfs
from dvc.rwlock import rwlock
tmp = os.path.join(root, '.dvc', 'tmp')
context = rwlock(tmp, localfs, 'dvc repro', {read}, {write}, {hardlink})
context.__enter__()
import atexit
atexit.register(context.__exit__, None, None, None)
"""
WE_USE = """
from mlxkit.tools.dvc_path_locks import PathLocks
assert PathLocks(root).acquire({read}, {write}) is None
"""

# read and write of one, read and write of the other, whether they get in each other's way
MEETINGS: dict[str, tuple[list[str], list[str], list[str], list[str], bool]] = {
    "both read": (["/p/a"], [], ["/p/a"], [], False),
    "one writes what the other reads": ([], ["/p/a"], ["/p/a"], [], True),
    "one reads what the other writes": (["/p/a"], [], [], ["/p/a"], True),
    "both write": ([], ["/p/a"], [], ["/p/a"], True),
    "a folder and a file in it": ([], ["/p/d"], ["/p/d/x"], [], True),
    "a file and its folder": (["/p/d/x"], [], [], ["/p/d"], True),
    "names that begin alike": ([], ["/p/d"], ["/p/d2"], ["/p/d.txt"], False),
    "other paths": (["/p/a"], ["/p/b"], ["/p/c"], ["/p/e"], False),
}


@pytest.mark.parametrize("case", MEETINGS)
class TestPaths:
    """`.dvc/tmp/rwlock`: the same paths get in each other's way as between two dvc."""

    def test_dvc_first(self, case: str, root: str) -> None:
        read, write, our_read, our_write, blocked = MEETINGS[case]
        code = DVC_USES.format(read=read, write=write, hardlink=False)
        with other_process(root, code) as dvc:
            found = PathLocks(root).acquire(our_read, our_write)
            assert (found is not None) is blocked
            if found is not None:
                assert (found.pid, found.cmd) == (dvc.pid, "dvc repro")
                assert found.path in [*read, *write]
                assert os.getpid() not in _pids(root), "nothing is registered when blocked"

    def test_we_first(self, case: str, root: str) -> None:
        read, write, its_read, its_write, blocked = MEETINGS[case]
        with other_process(root, WE_USE.format(read=read, write=write)) as we:
            if not blocked:
                with rwlock(_tmp(root), localfs, "dvc", its_read, its_write, False):
                    return
            with (
                pytest.raises(LockError, match=str(we.pid)),
                rwlock(_tmp(root), localfs, "dvc", its_read, its_write, False),
            ):
                pass


def _pids(root: str) -> list[int]:
    with open(_tmp(root, RWLOCK_FILE)) as file:
        table = json.load(file)
    readers = [one for found in table.get("read", {}).values() for one in found]
    return [one["pid"] for one in [*readers, *table.get("write", {}).values()]]


def test_the_files_are_where_dvc_looks(root: str) -> None:
    PathLocks(root).acquire(["/p/a"], ["/p/b"])
    assert {RWLOCK_FILE, RWLOCK_LOCK} <= set(os.listdir(_tmp(root)))
    with open(_tmp(root, RWLOCK_FILE)) as file:
        table = SCHEMA(json.load(file))
    ((reader,), writer) = table["read"]["/p/a"], table["write"]["/p/b"]
    assert reader == writer
    assert reader["pid"] == os.getpid()
    assert reader["cmd"], "what other processes show of us"


def test_our_own_stages_do_not_block_each_other(root: str) -> None:
    """The graph keeps them apart; two may read one file at once, and one of them ends first."""
    locks = PathLocks(root)
    assert locks.acquire(["/p/a"], ["/p/b"]) is None
    assert locks.acquire(["/p/a", "/p/b"], ["/p/c"]) is None
    locks.release(["/p/a"], ["/p/b"])
    assert sorted(_pids(root)) == [os.getpid()] * 3
    locks.release(["/p/a", "/p/b"], ["/p/c"])
    assert _pids(root) == []
    locks.release(["/p/a"], ["/p/b"])  # again: no error


def test_the_registrations_of_others_stay(root: str) -> None:
    code = DVC_USES.format(read=["/p/a"], write=["/p/z"], hardlink=False)
    with other_process(root, code) as dvc:
        locks = PathLocks(root)
        locks.acquire(["/p/a"], ["/p/b"])
        locks.release(["/p/a"], ["/p/b"])
        assert _pids(root) == [dvc.pid, dvc.pid]


@pytest.fixture
def dead() -> int:
    """The pid of a process that is gone."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def _write_table(root: str, text: str) -> None:
    with open(_tmp(root, RWLOCK_FILE), "w") as file:
        file.write(text)


def _table(pid: int) -> str:
    info = {"pid": pid, "cmd": "dvc repro"}
    return json.dumps({"read": {"/p/in": [info]}, "write": {"/p/out": info}})


def test_the_dead_block_nobody_and_are_cleared_away(root: str, dead: int) -> None:
    _write_table(root, _table(dead))
    locks = PathLocks(root)
    assert locks.state() == "whole"
    assert {(one.path, one.pid) for one in locks.stale()} == {("/p/in", dead), ("/p/out", dead)}
    assert locks.acquire(["/p/out"], ["/p/in"]) is None
    locks.mend()
    assert locks.stale() == []
    assert set(_pids(root)) == {os.getpid()}


def test_the_living_are_not_cleared_away(root: str) -> None:
    _write_table(root, _table(os.getppid()))
    locks = PathLocks(root)
    locks.mend()
    assert locks.stale() == []
    assert _pids(root) == [os.getppid()] * 2
    blocker = locks.acquire([], ["/p/in"])
    assert blocker is not None and blocker.pid == os.getppid()


BROKEN = [
    "", "{", "[]", "null", "3", '"x"', '{"write": []}', '{"read": {"/a": 3}}', "\0",
    '{"write": {"/a": {"pid": 1}}}', '{"read": {"/a": [{"pid": "x", "cmd": "c"}]}}',
    '{"write": {"/a": {"pid": 1, "cmd": "c"}}',
]  # fmt: skip


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_table_is_mended_for_dvc_too(text: str, root: str) -> None:
    _write_table(root, text)
    locks = PathLocks(root)
    assert locks.state() == "broken"
    assert locks.stale() == []
    locks.mend()
    assert locks.state() == "whole"
    with rwlock(_tmp(root), localfs, "dvc", ["/p/a"], ["/p/b"], False):
        pass


@pytest.mark.parametrize("text", ["{}", '{"read": {}}', '{"write": {}}'])
def test_what_dvc_leaves_is_whole(text: str, root: str) -> None:
    _write_table(root, text)
    assert PathLocks(root).state() == "whole"
    assert PathLocks(root).acquire(["/p/a"], []) is None


def test_no_table_yet(root: str) -> None:
    os.rmdir(_tmp(root))
    locks = PathLocks(root)
    assert locks.state() == "absent"
    assert locks.stale() == []
    assert locks.acquire(["/p/a"], []) is None


class TestPathsWithHardLinks:
    """`core.hardlink_lock`: DVC guards its table of paths with a hard link as well."""

    @pytest.fixture
    def locks(self, inside: Project) -> Iterator[PathLocks]:
        """The path locks that mlx uses in such a project."""
        inside.dvc("config", "core.hardlink_lock", "true").ok()
        with open_for_run(str(inside.root), 0, print) as session:
            yield session.path_locks

    def test_dvc_can_use_the_table_after_us(self, locks: PathLocks, inside: Project) -> None:
        locks.acquire(["/p/a"], ["/p/b"])
        locks.release(["/p/a"], ["/p/b"])
        with rwlock(_tmp(str(inside.root)), localfs, "dvc", ["/p/a"], ["/p/b"], True):
            pass

    def test_we_wait_while_dvc_edits_the_table(self, locks: PathLocks, inside: Project) -> None:
        folder = _tmp(str(inside.root))
        os.makedirs(folder, exist_ok=True)
        guard = make_lock(os.path.join(folder, RWLOCK_LOCK), tmp_dir=folder, hardlink_lock=True)
        guard.lock()
        ours = threading.Thread(target=locks.acquire, args=(["/p/a"], []))
        ours.start()
        ours.join(0.2)
        assert guard.is_locked, "DVC's lock is DVC's until it gives it back"
        assert ours.is_alive()
        guard.unlock()
        ours.join()
        assert _pids(str(inside.root)) == [os.getpid()]

"""The index from stat to digest: what it vouches for, and what it must not."""

import os
import threading
import time
from pathlib import Path

import pytest

from mlxkit.core.digest import md5_bytes, md5_fd, md5_file
from mlxkit.store.errors import ChangedWhileRead, UnusablePath
from mlxkit.store.state import State

SECOND = 1_000_000_000


def settle(path: Path, age: float = 10.25) -> os.stat_result:
    """Make the file look as if its last change were long ago, ctime included."""
    when = time.time_ns() - int(age * SECOND)
    os.utime(path, ns=(when, when))
    return os.stat(path)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let hashes begin ten seconds from now, for a file's ctime cannot be set back."""
    real = time.time_ns
    monkeypatch.setattr("mlxkit.store.state.time.time_ns", lambda: real() + 10 * SECOND + 1)


def count_hashes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    seen: list[int] = []
    real = md5_fd

    def counting(fd: int, size: int) -> str:
        seen.append(size)
        return real(fd, size)

    monkeypatch.setattr("mlxkit.store.state.md5_fd", counting)
    return seen


@pytest.mark.parametrize("size", [0, 1, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_000_000])
def test_md5_of_a_file_of_any_size(tmp_path: Path, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    path = tmp_path / "f"
    path.write_bytes(data[:size])
    assert md5_file(str(path)) == md5_bytes(data[:size])


def test_md5_of_a_file_whose_size_is_unknown() -> None:
    assert md5_file("/proc/self/maps") != md5_bytes(b"")


@pytest.mark.usefixtures("later")
def test_a_settled_file_is_hashed_once(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"data")
    settle(path)
    hashes = count_hashes(monkeypatch)
    assert state.digest(str(path)) == md5_bytes(b"data")
    assert state.digest(str(path)) == md5_bytes(b"data")
    assert hashes == [4]


@pytest.mark.usefixtures("later")
def test_the_index_survives_a_save(tmp_path: Path) -> None:
    names = ["plain", "ümläut", "new\nline", os.fsdecode(b"not-\xff-utf8")]
    first = State.load(str(tmp_path / "dir" / "state"))
    for name in names:
        path = tmp_path / name
        path.write_text(name, errors="surrogateescape")
        settle(path)
        first.digest(str(path))
    first.save()
    second = State.load(str(tmp_path / "dir" / "state"))
    for name in names:
        file = str(tmp_path / name)
        assert second.known(file, os.stat(file)) == md5_file(file)


def test_a_file_just_written_is_not_trusted(tmp_path: Path, state: State) -> None:
    # Two contents of one size within one tick of the clock look the same for ever.
    path = tmp_path / "f"
    path.write_bytes(b"one")
    before = os.stat(path)
    assert state.digest(str(path)) == md5_bytes(b"one")
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert state.digest(str(path)) == md5_bytes(b"two")


def test_the_racy_margin(tmp_path: Path, state: State) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"data")
    os.link(path, tmp_path / "other")  # so that only mtime counts, which can be set
    md5 = md5_bytes(b"data")
    for nanoseconds, margin in ((123_456_789, 50_000_000), (0, 2 * SECOND)):
        mtime = 1_600_000_000 * SECOND + nanoseconds
        os.utime(path, ns=(mtime, mtime))
        stat = os.stat(path)
        state.remember(str(path), stat, md5, began=mtime + margin - 1)
        assert state.known(str(path), stat) is None
        state.remember(str(path), stat, md5, began=mtime + margin)
        assert state.known(str(path), stat) == md5


@pytest.mark.usefixtures("later")
def test_an_edit_with_its_mtime_set_back_is_noticed(tmp_path: Path, state: State) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"one")
    old = settle(path)
    assert state.digest(str(path)) == md5_bytes(b"one")
    time.sleep(0.012)  # let the clock that stamps files tick
    path.write_bytes(b"two")
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert state.digest(str(path)) == md5_bytes(b"two")


@pytest.mark.usefixtures("later")
def test_a_replaced_file_is_noticed(tmp_path: Path, state: State) -> None:
    path, new = tmp_path / "f", tmp_path / "new"
    path.write_bytes(b"one")
    new.write_bytes(b"two")
    when = settle(path).st_mtime_ns
    os.utime(new, ns=(when, when))
    assert state.digest(str(path)) == md5_bytes(b"one")
    new.replace(path)
    assert state.digest(str(path)) == md5_bytes(b"two")


@pytest.mark.usefixtures("later")
def test_a_link_made_elsewhere_costs_no_hash(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"data")
    os.link(path, tmp_path / "a")
    settle(path)
    state.digest(str(path))
    time.sleep(0.012)
    os.link(path, tmp_path / "b")  # changes the ctime of all names
    hashes = count_hashes(monkeypatch)
    state.digest(str(path))
    assert hashes == []


def test_a_file_that_changes_while_hashed_is_read_again(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"one")
    real = md5_fd

    def meddling(fd: int, size: int) -> str:
        md5 = real(fd, size)
        if path.read_bytes() == b"one":
            path.write_bytes(b"longer")
        return md5

    monkeypatch.setattr("mlxkit.store.state.md5_fd", meddling)
    md5, stat = state.read(str(path))
    assert (md5, stat.st_size) == (md5_bytes(b"longer"), 6)


def test_a_file_that_never_rests_is_an_error(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"")

    def meddling(fd: int, size: int) -> str:
        with path.open("ab") as file:
            file.write(b"more")
        return md5_bytes(b"")

    monkeypatch.setattr("mlxkit.store.state.md5_fd", meddling)
    with pytest.raises(ChangedWhileRead, match="keeps changing"):
        state.digest(str(path))
    assert state.known(str(path), os.stat(path)) is None


def test_what_cannot_be_hashed(tmp_path: Path, state: State) -> None:
    with pytest.raises(FileNotFoundError):
        state.digest(str(tmp_path / "missing"))
    with pytest.raises(UnusablePath, match="not a regular file"):
        state.digest(str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnusablePath, match="pipe"):
        state.digest(str(tmp_path / "pipe"))


@pytest.mark.usefixtures("later")
def test_a_damaged_index_counts_as_empty(tmp_path: Path) -> None:
    file, path = tmp_path / "state", tmp_path / "f"
    path.write_bytes(b"data")
    settle(path)
    state = State.load(str(file))
    state.digest(str(path))
    state.save()
    whole = file.read_bytes()
    flipped = whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:]
    for data in (b"", b"junk", whole[:20], whole[:-1], whole + b"x", flipped):
        file.write_bytes(data)
        assert State.load(str(file)).known(str(path), os.stat(path)) is None
    file.unlink()
    file.mkdir()
    assert State.load(str(file)).known(str(path), os.stat(path)) is None


def test_an_unchanged_index_is_not_written(tmp_path: Path) -> None:
    state = State.load(str(tmp_path / "state"))
    state.save()
    assert not (tmp_path / "state").exists()


def test_the_index_forgets_deleted_files_when_it_has_grown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlxkit.store.state._SMALLEST_CLEANUP", 10)
    path = tmp_path / "f"
    path.write_bytes(b"data")
    stat, md5 = os.stat(path), md5_bytes(b"data")
    state = State.load(str(tmp_path / "state"))
    for name in range(50):
        state.remember(f"/nowhere/{name}", stat, md5)
    state.remember(str(path), stat, md5, began=stat.st_ctime_ns + 3 * SECOND)
    state.save()
    assert (tmp_path / "state").stat().st_size < 300
    assert State.load(str(tmp_path / "state")).known(str(path), stat) == md5


def test_readers_beside_a_writer(tmp_path: Path, state: State) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"data")
    stat, md5 = os.stat(path), md5_bytes(b"data")
    failed: list[BaseException] = []

    def work(job: int) -> None:
        try:
            for name in range(300):
                state.remember(f"/x/{job}/{name}", stat, md5)
                state.known(f"/x/{1 - job}/{name}", stat)
                if name % 50 == 0:
                    state.save()
        except BaseException as exc:
            failed.append(exc)

    threads = [threading.Thread(target=work, args=(job,)) for job in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed

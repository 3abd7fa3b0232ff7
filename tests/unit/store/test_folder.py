"""A directory of many files in the index: known as a whole, and never wrongly."""

import os
import time
from pathlib import Path

import pytest
from tests.unit.store.test_state import count_hashes

from mlxkit.store import reading
from mlxkit.store.state import State
from mlxkit.store.tree import MANY, describe

SECOND = 1_000_000_000


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory whose files were written long before they are looked at."""
    folder = tmp_path / "many"
    for number in range(MANY + 5):
        path = folder / f"d{number % 3}" / f"ü{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(number))
    real = time.time_ns
    monkeypatch.setattr(reading.time, "time_ns", lambda: real() + 10 * SECOND + 1)
    return folder


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    seen = count_hashes(monkeypatch)
    real = reading.md5_fd

    def counting(fd: int, size: int) -> str:
        seen.append(size)
        return real(fd, size)

    monkeypatch.setattr(reading, "md5_fd", counting)
    return seen


def test_the_second_look_hashes_nothing(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State.load(str(tmp_path / "state"))
    first = describe(str(many), state)
    state.save()
    hashes = _counted(monkeypatch)
    later = State.load(str(tmp_path / "state"))
    second = describe(str(many), later)
    assert first is not None
    assert second is not None
    assert hashes == []
    assert (first.md5, first.size, first.nfiles) == (second.md5, second.size, second.nfiles)
    assert list(first.entries or ()) == list(second.entries or ())


def _rewrite(folder: Path) -> None:
    (folder / "d1" / "ü1").write_text("X")


def _rewrite_and_set_the_time_back(folder: Path) -> None:
    path = folder / "d1" / "ü1"
    stat = path.stat()
    path.write_text("X")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _replace(folder: Path) -> None:
    new = folder / "new"
    new.write_text("X")
    new.replace(folder / "d1" / "ü1")


def _rename(folder: Path) -> None:
    (folder / "d1" / "ü1").rename(folder / "d1" / "other")


def _swap(folder: Path) -> None:
    one, two, three = folder / "d1" / "ü1", folder / "d2" / "ü2", folder / "third"
    one.rename(three)
    two.rename(one)
    three.rename(two)


def _remove(folder: Path) -> None:
    (folder / "d1" / "ü1").unlink()


def _add(folder: Path) -> None:
    (folder / "zzz").write_text("X")


@pytest.mark.parametrize(
    "change",
    [_rewrite, _rewrite_and_set_the_time_back, _replace, _rename, _swap, _remove, _add],
)
def test_every_change_is_seen(many: Path, tmp_path: Path, change: object) -> None:
    state = State.load(str(tmp_path / "state"))
    before = describe(str(many), state)
    assert callable(change)
    change(many)
    after = describe(str(many), state)
    anew = describe(str(many), State.load(str(tmp_path / "none")))
    assert before is not None
    assert after is not None
    assert anew is not None
    assert after.md5 == anew.md5 != before.md5
    assert list(after.entries or ()) == list(anew.entries or ())


def test_one_change_hashes_one_file(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State.load(str(tmp_path / "state"))
    describe(str(many), state)
    _rewrite(many)
    hashes = _counted(monkeypatch)
    describe(str(many), state)
    assert len(hashes) == 1


def test_files_just_written_are_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "fresh"
    folder.mkdir()
    monkeypatch.setattr(reading.time, "time_ns", lambda: 1)  # all files are newer than that
    for number in range(MANY):
        (folder / str(number)).write_text("a")
    state = State.load(str(tmp_path / "state"))
    describe(str(folder), state)
    hashes = _counted(monkeypatch)
    describe(str(folder), state)
    assert len(hashes) == MANY


def test_a_directory_that_is_gone_is_forgotten(many: Path, tmp_path: Path) -> None:
    state = State.load(str(tmp_path / "state"))
    describe(str(many), state)
    many.rename(tmp_path / "elsewhere")
    state.save()
    assert State.load(str(tmp_path / "state")).folder(str(many)) is None

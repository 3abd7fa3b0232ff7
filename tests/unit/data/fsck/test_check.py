"""Reading objects again: what is found, what a sample is, what the working tree lacks."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from mlxkit.core.errors import UsageError
from mlxkit.data.fsck.check import (
    CORRUPT,
    INVALID,
    UNREADABLE,
    Object,
    check_file,
    check_files,
    objects_of,
    sampled,
)
from mlxkit.data.fsck.places import Folder, repair
from mlxkit.data.gc.inventory import object_path, take_stock

MANY = 2500  # enough for several processes


def _put(cache: Path, data: bytes, name: str = "", top: str = "files/md5") -> str:
    name = name or hashlib.md5(data).hexdigest()
    path = Path(object_path(str(cache / top), name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return name


def _found(cache: Path) -> dict[str, str]:
    objects = objects_of(take_stock(str(cache)))
    checked = check_files(objects)
    assert checked.objects == len(objects)
    return {one.md5: one.kind for one in checked.problems}


def test_each_kind_of_damage(tmp_path: Path) -> None:
    good = _put(tmp_path, b"good")
    empty = _put(tmp_path, b"")
    listing = json.dumps([{"md5": good, "relpath": "a"}]).encode()
    _put(tmp_path, listing, hashlib.md5(listing).hexdigest() + ".dir")
    evil = json.dumps([{"md5": good, "relpath": "../a"}]).encode()
    bad = {
        _put(tmp_path, b"other bytes", "a" * 32): CORRUPT,
        _put(tmp_path, b"", "b" * 32): CORRUPT,
        _put(tmp_path, listing, "c" * 32 + ".dir"): CORRUPT,
        _put(tmp_path, evil, hashlib.md5(evil).hexdigest() + ".dir"): INVALID,
        _put(tmp_path, b"", "d" * 32): UNREADABLE,
    }
    pipe = tmp_path / "files/md5/dd" / ("d" * 30)
    pipe.unlink()
    os.mkfifo(pipe)
    assert _found(tmp_path) == bad
    assert {good, empty}.isdisjoint(bad)


def test_many_in_several_processes(tmp_path: Path) -> None:
    for number in range(MANY):
        _put(tmp_path, str(number).encode())
    wrong = {_put(tmp_path, b"x", hashlib.md5(str(n).encode()).hexdigest()) for n in (0, 7, 2499)}
    assert _found(tmp_path) == dict.fromkeys(wrong, CORRUPT)


@pytest.mark.parametrize(
    "data",
    [
        b"a\r\nb\r\n",
        b"a\nb\n",
        b"\0\r\n",
        b"x" * ((1 << 20) - 1) + b"\r\n" * 5,
        b"\xff\xfe\xfd" * 200 + b"\r\n",
        b"",
    ],
)
def test_objects_of_dvc_2(data: bytes, tmp_path: Path) -> None:
    """They are named by the digest of text with Unix line ends, by DVC's own idea of text."""
    from dvc_data.hashfile.hash import file_md5

    source = tmp_path / "source"
    source.write_bytes(data)
    _put(tmp_path, data, file_md5(str(source), name="md5-dos2unix"), ".")
    assert _found(tmp_path) == {}
    _put(tmp_path, data, "e" * 32, ".")
    assert _found(tmp_path) == {"e" * 32: CORRUPT}


def test_one_that_is_gone_meanwhile_is_no_problem(tmp_path: Path) -> None:
    assert check_file(Object("a" * 32, str(tmp_path / "none"))) == ""


@pytest.mark.parametrize(
    ("sample", "count"),
    [("", 200), ("1%", 2), ("0.1%", 1), ("100%", 200), ("500%", 200), ("7", 7), ("900", 200)],
)
def test_samples(sample: str, count: int) -> None:
    objects = [Object(f"{number:032x}", "") for number in range(200)]
    chosen = sampled(objects, sample, seed=1)
    assert len(chosen) == count and chosen == sorted(chosen)
    assert chosen == sampled(objects, sample, seed=1)
    if count < 100:
        assert any(sampled(objects, sample, seed=seed) != chosen for seed in range(2, 20))
    assert sampled([], sample, seed=None) == []


@pytest.mark.parametrize("sample", ["0", "0%", "-1", "x", "1.5", "%", "nan%"])
def test_bad_samples(sample: str) -> None:
    with pytest.raises(UsageError):
        sampled([Object("a" * 32, "")], sample, None)


@pytest.mark.parametrize("source", ["good", "bad", "none"])
@pytest.mark.parametrize("top", ["files/md5", "."])
def test_repair(source: str, top: str, tmp_path: Path) -> None:
    cache, remote, aside = tmp_path / "cache", tmp_path / "remote", tmp_path / "aside"
    name = hashlib.md5(b"right").hexdigest()
    _put(cache, b"wrong", name, top)
    if source != "none":
        _put(remote, b"right" if source == "good" else b"also wrong", name, top)
    (problem,) = check_files(objects_of(take_stock(str(cache)))).problems
    for number in range(2):
        done = repair(problem, Folder(str(cache)), Folder(str(remote)), str(aside), top == ".")
        path = Path(object_path(str(cache / top), name))
        assert done.repaired == path.exists() == (source == "good")
        assert [one.read_bytes() for one in aside.iterdir()] == [b"wrong"] * (number + 1)
        if source == "good":
            assert path.read_bytes() == b"right" and path.stat().st_mode & 0o777 == 0o444
            again = repair(problem, Folder(str(cache)), None, str(aside), top == ".")
            assert again.repaired  # somebody has put it right already
            os.chmod(path, 0o644)
        _put(cache, b"wrong", name, top)

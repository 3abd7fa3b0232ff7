"""What counts as a reference, and what directory objects add to it."""

import hashlib
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxkit.core.yaml import dumps
from mlxkit.data.gc.inventory import Inventory, object_path, take_stock
from mlxkit.data.gc.reach import find_reach, names_in
from mlxkit.data.history.versions import Text

MD5 = hashlib.md5(b"x").hexdigest()
DIGESTS = st.binary(max_size=4).map(lambda data: hashlib.md5(data).hexdigest())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"md5: {MD5}", {MD5}),
        (f"md5: '{MD5}'\nmd5: {MD5}.dir\n", {MD5, f"{MD5}.dir"}),
        (f"{{md5:{MD5}.dir}}", {f"{MD5}.dir"}),
        (f"<<<<<<< HEAD\n\t- {MD5}", {MD5}),
        (f"{MD5}a", set()),
        (f"sha256: {MD5}{MD5}", set()),
        (f"{MD5}.dirty", {f"{MD5}.dir"}),
        (MD5[:31], set()),
        ("md5: '" + "1" * 32 + "'", {"1" * 32}),
        ("", set()),
    ],
)
def test_names_in_a_text(text: str, expected: set[str]) -> None:
    assert names_in(text.encode()) == expected
    assert names_in(b"\xff\0" + text.encode() + b"\r\n") == expected


@given(st.lists(st.tuples(DIGESTS, st.booleans(), st.text(max_size=8)), max_size=6))
def test_every_name_in_a_lock_file_is_found(outs: list[tuple[str, bool, str]]) -> None:
    names = [md5 + (".dir" if is_dir else "") for md5, is_dir, _ in outs]
    items = [{"path": path, "md5": name} for name, (_, _, path) in zip(names, outs, strict=True)]
    text = dumps({"schema": "2.0", "stages": {"a": {"cmd": "x" * 200, "outs": items}}})
    assert names_in(text.encode()) >= set(names)


def _put(cache: Path, data: bytes, suffix: str = "", top: str = "files/md5") -> str:
    name = hashlib.md5(data).hexdigest() + suffix
    path = Path(object_path(str(cache / top), name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return name


def _listing(*names: str) -> bytes:
    return json.dumps([{"md5": one, "relpath": str(at)} for at, one in enumerate(names)]).encode()


@pytest.mark.parametrize("top", ["files/md5", "."])
def test_files_of_a_directory(top: str, tmp_path: Path) -> None:
    child = _put(tmp_path, b"child")
    folder = _put(tmp_path, _listing(child, MD5), ".dir", top)
    reach = find_reach([Text("file", "a.dvc", folder.encode())], take_stock(str(tmp_path)))
    assert reach.names == {folder, child}  # what is not in the cache need not be known
    assert reach.lost == {}


@pytest.mark.parametrize("damage", [b"", b"[]", _listing(MD5), b"\0" * 100])
def test_a_damaged_list_is_lost(damage: bytes, tmp_path: Path) -> None:
    folder = _put(tmp_path, _listing(_put(tmp_path, b"child")), ".dir")
    Path(object_path(str(tmp_path / "files/md5"), folder)).write_bytes(damage)
    texts = [Text("file", "a.dvc", folder.encode()), Text("commit", "later", folder.encode())]
    assert find_reach(texts, take_stock(str(tmp_path))).lost == {folder: "a.dvc"}


def test_a_whole_copy_in_the_other_layout_is_enough(tmp_path: Path) -> None:
    child = _put(tmp_path, b"child")
    folder = _put(tmp_path, _listing(child), ".dir", ".")
    path = Path(object_path(str(tmp_path / "files/md5"), folder))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"cut")
    reach = find_reach([Text("file", "a.dvc", folder.encode())], take_stock(str(tmp_path)))
    assert child in reach.names and not reach.lost


def test_stock_of_both_layouts(tmp_path: Path) -> None:
    new, old = _put(tmp_path, b"new"), _put(tmp_path, b"old", top=".")
    both = _put(tmp_path, b"both")
    _put(tmp_path, b"both", top=".")
    for path in (".mlx-ab.tmp", f"files/md5/ab/.{'A' * 22}.tmp", "files/md5/ab/own", "runs/ab/x"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"123")
        day_ago = time.time() - 25 * 3600
        os.utime(tmp_path / path, (day_ago, day_ago))
    stock = take_stock(str(tmp_path))
    assert stock.has(new) and stock.has(old) and not stock.has(MD5)
    assert len(stock.paths(both)) == 2 and stock.total == 4
    assert sorted(file.size for file in stock.leftovers) == [3, 3]
    assert stock.strangers == 1


def test_no_cache_is_an_empty_one(tmp_path: Path) -> None:
    stock = take_stock(str(tmp_path / "none"))
    assert stock.total == 0 and not stock.leftovers and isinstance(stock, Inventory)

"""Adding to the cache, against what DVC leaves behind, and what goes wrong on the way."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlxkit.core.digest import md5_bytes
from mlxkit.store import ingest
from mlxkit.store.errors import BadObject, ChangedWhileRead, DiskFull
from mlxkit.store.intake import take_file
from mlxkit.store.objects import ObjectStore
from mlxkit.store.state import State
from mlxkit.store.tree import Content, describe

# DVC's own use of another package, nothing that we could change.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")

Make = Callable[[Path, dict[str, object]], Any]
Look = Callable[[Path], dict[str, Any]]


def workspace(root: Path) -> list[str]:
    """One of everything an output can be; returns the outputs."""
    directory = root / "dir"
    (directory / "sub" / "empty").mkdir(parents=True)
    (directory / "a").write_bytes(b"a")
    (directory / "same").write_bytes(b"a")
    (directory / "exec").write_bytes(b"e")
    (directory / "exec").chmod(0o755)
    (directory / "none").write_bytes(b"")
    (directory / "none").chmod(0o755)
    (directory / "private").write_bytes(b"p")
    (directory / "private").chmod(0o600)
    (directory / "sub" / "b").write_bytes(b"b")
    (root / "elsewhere").mkdir()
    (root / "elsewhere" / "linked").write_bytes(b"linked")
    (directory / "sub" / "link").symlink_to(root / "elsewhere" / "linked")
    (root / "file").write_bytes(b"file")
    (root / "private").write_bytes(b"private")
    (root / "private").chmod(0o600)
    (root / "exec").write_bytes(b"exec")
    (root / "exec").chmod(0o755)
    (root / "none").write_bytes(b"")
    (root / "again").write_bytes(b"file")
    (root / "link").symlink_to(root / "elsewhere" / "linked")
    (root / "void").mkdir()
    return ["dir", "file", "private", "exec", "none", "again", "link", "void"]


def commit(store: ObjectStore, path: str) -> Content:
    content = describe(path, store.state)
    assert content is not None
    if content.entries is None:
        store.add_file(path, content.md5)
    else:
        store.add_tree(path, content)
    return content


@pytest.mark.parametrize(
    ("types", "shared"),
    [
        ("reflink,copy", False),
        ("copy", False),
        ("copy", True),
        ("hardlink", False),
        ("hardlink,copy", True),
        ("symlink", False),
        ("symlink,copy", False),
        ("reflink,hardlink", False),
    ],
)
def test_cache_and_workspace_are_as_dvc_leaves_them(
    tmp_path: Path, dvc_repo: Make, snapshot: Look, types: str, shared: bool
) -> None:
    config: dict[str, object] = {"type": types.split(",")}
    if shared:
        config["shared"] = "group"
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    repo = dvc_repo(theirs, config)
    dvc_repo(ours, config)
    (ours / ".dvc" / "cache").mkdir(exist_ok=True)
    store = ObjectStore(
        str(ours / ".dvc" / "cache" / "files" / "md5"),
        state=State.load(str(tmp_path / "state")),
        link_types=types.split(","),
        shared=shared,
    )
    outputs = workspace(theirs)
    workspace(ours)
    (theirs / ".dvc" / "cache").mkdir(exist_ok=True)
    for _ in range(2):  # the second time all is there already
        for name in outputs:
            (stage,) = repo.add([str(theirs / name)])
            content = commit(store, str(ours / name))
            (out,) = stage.outs
            recorded = (out.hash_info.value, out.meta.size, out.meta.nfiles, out.meta.isexec)
            assert recorded == (content.md5, content.size, content.nfiles, content.isexec)
        left, right = snapshot(theirs), snapshot(ours)
        if types.startswith("hardlink"):
            # DVC links the cache to what a link leads to, outside of the output, and so makes
            # that read-only; here it is copied.
            for side in (left, right):
                side.pop("elsewhere/linked")
        if types == "hardlink,copy":
            # Which of two equal files becomes the object is chance in DVC.
            for side in (left, right):
                assert {side.pop("dir/a")[0], side.pop("dir/same")[0]} == {"file", "hardlink"}
        relevant = {
            name: value
            for name, value in left.items()
            if not name.endswith(".dvc") and not name.startswith((".dvc/tmp", ".dvc/config"))
        }
        assert {name: right.get(name) for name in relevant} == relevant
        cached = [name for name in right if name.startswith(".dvc/cache")]
        assert set(cached) <= set(left)


def test_a_foreign_file_is_not_made_read_only(tmp_path: Path, state: State) -> None:
    store = ObjectStore(str(tmp_path / "cache"), state=state, link_types=["hardlink"])
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"data")
    (tmp_path / "out").symlink_to(foreign)
    os.link(foreign, tmp_path / "other")
    for name in ("out", "other"):
        commit(store, str(tmp_path / name))
    assert stat.S_IMODE(foreign.stat().st_mode) == 0o644
    assert foreign.stat().st_nlink == 1
    assert stat.S_IMODE((tmp_path / "out").lstat().st_mode) == 0o444


def test_a_damaged_object_is_found_and_replaced(tmp_path: Path, store: ObjectStore) -> None:
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (out / "sub" / "f").write_bytes(b"right")
    content = commit(store, str(out))
    (_, child), *_ = content.entries or ()
    for md5 in (child, content.md5):
        path = Path(store.path(md5))
        right = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(b"x" * len(right))
        path.chmod(0o444)
        assert store.has(content.md5) is (md5 == child)  # DVC trusts the mode
        assert not store.whole(content.md5)
        commit(store, str(out))
        assert path.read_bytes() == right
        assert stat.S_IMODE(path.stat().st_mode) == 0o444
        assert store.whole(content.md5)


def test_what_has_takes_as_present(tmp_path: Path, store: ObjectStore) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"data")
    md5 = commit(store, str(file)).md5
    path = Path(store.path(md5))
    assert store.has(md5)
    assert store.has(md5, 4)
    assert not store.has(md5, 5)
    assert not store.has("0" * 32)
    path.chmod(0o644)
    assert store.has(md5)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644  # a look does not write
    assert store.has(md5, repair=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    path.chmod(0o644)
    path.write_bytes(b"DATA")
    assert not store.has(md5)
    assert path.exists()
    assert not store.has(md5, repair=True)
    assert not path.exists()
    path.mkdir()
    assert not store.has(md5)
    assert not store.whole(md5)


def test_a_directory_is_present_with_all_its_files(tmp_path: Path, store: ObjectStore) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a").write_bytes(b"a")
    content = commit(store, str(out))
    assert store.has(content.md5)
    assert store.whole(content.md5)
    (_, child), *_ = content.entries or ()
    os.unlink(store.path(child))
    assert not store.has(content.md5)
    assert not store.whole(content.md5)


def test_a_hostile_directory_object_is_neither_present_nor_whole(store: ObjectStore) -> None:
    from mlxkit.core.digest import md5_bytes

    data = b'[{"md5": "d41d8cd98f00b204e9800998ecf8427e", "relpath": "../x"}]'
    md5 = md5_bytes(data) + ".dir"
    path = Path(store.path(md5))
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    path.chmod(0o444)
    assert not store.has(md5)
    assert not store.whole(md5)
    with pytest.raises(BadObject, match=r"unsafe path '\.\./x'"):
        store.read_tree(md5)


@pytest.mark.parametrize("name", ["", "../../x", "d41d8cd9", "D" * 32, "0" * 32 + ".dir/x", "/etc"])
def test_only_a_digest_names_an_object(store: ObjectStore, name: str) -> None:
    with pytest.raises(BadObject):
        store.has(name)


def test_a_file_that_changed_since_it_was_described(tmp_path: Path, store: ObjectStore) -> None:
    for types in (["copy"], ["hardlink"]):
        other = ObjectStore(store.root, state=store.state, link_types=types)
        file = tmp_path / types[0]
        file.write_bytes(b"one")
        content = describe(str(file), store.state)
        assert content is not None
        file.write_bytes(b"two")
        with pytest.raises(ChangedWhileRead, match="changed while it was being added"):
            other.add_file(str(file), content.md5)
        assert stat.S_IMODE(file.stat().st_mode) == 0o644
        assert [path for path in Path(store.root).rglob("*") if path.is_file()] == []


def test_the_directory_object_comes_last(
    tmp_path: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in "abc":
        (out / name).write_bytes(name.encode())
    content = describe(str(out), store.state)
    assert content is not None
    order: list[str] = []
    real = os.replace

    def recording(source: str, target: str) -> None:
        order.append(os.path.relpath(target, store.root).replace("/", ""))
        assert os.path.dirname(source) == str(store.root)  # not among the objects
        assert stat.S_IMODE(os.stat(source).st_mode) == 0o444
        real(source, target)

    monkeypatch.setattr("mlxkit.store.ingest.os.replace", recording)
    store.add_tree(str(out), content)
    assert order[-1] == content.md5
    assert sorted(order[:-1]) == sorted(md5 for _, md5 in content.entries or ())


def test_entries_must_belong_to_their_digest(tmp_path: Path, store: ObjectStore) -> None:
    with pytest.raises(BadObject, match="is not the digest"):
        store.add_tree(str(tmp_path), Content("0" * 32 + ".dir", 0, 0, entries=()))


def test_a_full_disk_leaves_nothing_half_done(
    tmp_path: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"data")
    content = describe(str(file), store.state)
    assert content is not None

    def full(fd: int, data: memoryview) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("mlxkit.store.links.os.write", full)
    with pytest.raises(DiskFull, match="No space left") as caught:
        store.add_file(str(file), content.md5)
    assert caught.value.hint
    assert [path for path in Path(store.root).rglob("*") if path.is_file()] == []


def test_a_really_full_disk(tmp_path: Path, state: State, small_disk: Path) -> None:
    store = ObjectStore(str(small_disk / "cache"), state=state)
    out = tmp_path / "out"
    out.mkdir()
    for number in range(8):
        (out / str(number)).write_bytes(os.urandom(200_000))
    content = describe(str(out), state)
    assert content is not None
    with pytest.raises(DiskFull):
        store.add_tree(str(out), content)
    assert not store.has(content.md5)
    for path in Path(store.root).rglob("*"):
        if path.is_file():
            assert store.whole(path.parent.name + path.name)


def test_link_types_are_checked(tmp_path: Path, state: State) -> None:
    for types in ([], ["copy", "teleport"]):
        with pytest.raises(ValueError, match="link types"):
            ObjectStore(str(tmp_path), state=state, link_types=types)


@pytest.mark.parametrize("types", ["hardlink", "symlink", "copy"])
def test_unprotected_as_by_dvc(tmp_path: Path, dvc_repo: Make, snapshot: Look, types: str) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    repo = dvc_repo(theirs, {"type": [types]})
    dvc_repo(ours, {})
    store = ObjectStore(
        str(ours / ".dvc" / "cache" / "files" / "md5"),
        state=State.load(str(tmp_path / "state")),
        link_types=[types],
    )
    workspace(ours)
    for name in workspace(theirs):
        repo.add([str(theirs / name)])
        content = commit(store, str(ours / name))
        repo.unprotect(str(theirs / name))
        store.unprotect(str(ours / name))
        if content.size:
            assert store.whole(content.md5)
    left, right = snapshot(theirs), snapshot(ours)
    names = [name for name in right if not name.startswith((".dvc", "elsewhere"))]
    assert len(names) > 10
    assert {name: right[name] for name in names} == {name: left[name] for name in names}


def test_a_clone_is_verified_too(
    tmp_path: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Stands in for a file system with clones (btrfs, xfs), which needs tools to be made here.
    clones: list[bytes] = []

    def clone(target: int, request: int, source: int) -> None:
        assert request == 0x40049409
        clones.append(os.pread(source, 100, 0))
        os.write(target, clones[-1])

    monkeypatch.setattr("mlxkit.store.links.fcntl.ioctl", clone)
    file = tmp_path / "f"
    file.write_bytes(b"data")
    md5 = commit(store, str(file)).md5
    assert clones == [b"data"]
    assert store.whole(md5)
    assert stat.S_IMODE(os.stat(store.path(md5)).st_mode) == 0o444
    with pytest.raises(ChangedWhileRead):
        store.add_file(str(file), "0" * 32)
    assert not store.has("0" * 32)


@pytest.mark.parametrize("kind", ["hardlink", "copy"])
def test_a_file_written_to_while_it_is_taken_leaves_no_wrong_object(
    kind: str, tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ObjectStore(str(tmp_path / "cache"), state=state, link_types=(kind,))
    path = tmp_path / "file"
    path.write_bytes(b"first")
    written = []

    def writing(name: str) -> Callable[..., str]:
        real: Callable[..., str] = getattr(ingest, name)

        def wrapped(*args: str | bytes) -> str:
            md5 = real(*args)
            if not written:
                written.append(name)
                os.chmod(path, 0o644)
                path.write_bytes(b"second, and longer")
            return md5

        return wrapped

    for name in ("md5_file", "md5_bytes", "copy"):
        monkeypatch.setattr(ingest, name, writing(name))
    content = take_file(store, str(path))
    assert written
    assert content.md5 == md5_bytes(b"second, and longer")
    for found in (tmp_path / "cache").glob("*/*"):
        assert md5_bytes(found.read_bytes()) == found.parent.name + found.name


def test_a_file_whose_object_is_there_already_keeps_that_object(
    tmp_path: Path, state: State
) -> None:
    store = ObjectStore(str(tmp_path / "cache"), state=state, link_types=("hardlink",))
    one, two = tmp_path / "one", tmp_path / "two"
    for path in (one, two):
        path.write_bytes(b"same")
    kept = store.path(take_file(store, str(one)).md5)
    inode = os.stat(kept).st_ino
    take_file(store, str(two))
    assert os.stat(kept).st_ino == inode == os.stat(one).st_ino == os.stat(two).st_ino

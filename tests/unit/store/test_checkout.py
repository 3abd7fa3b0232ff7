"""Laying out objects in the workspace: exactly, safely, and in steps that a kill cannot halve."""

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import MlxError
from mlxkit.store.checkout import checkout, remove
from mlxkit.store.errors import BadObject, DiskFull, MissingObject, UnusablePath
from mlxkit.store.objects import ObjectStore
from mlxkit.store.staging import Staging
from mlxkit.store.state import State
from mlxkit.store.tree import Content, describe, tree_bytes

# DVC's own use of another package, nothing that we could change.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")

Make = Callable[[Path, dict[str, object]], Any]
Look = Callable[[Path], dict[str, Any]]
Tree = dict[str, bytes]


def put(store: ObjectStore, data: bytes, name: str | None = None) -> str:
    """Put an object into the cache directly; returns its name."""
    md5 = name or md5_bytes(data)
    path = Path(store.path(md5))
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(data)
        path.chmod(0o444)
    return md5


def put_tree(store: ObjectStore, tree: Tree) -> str:
    data = tree_bytes(sorted((path, put(store, content)) for path, content in tree.items()))
    return put(store, data, md5_bytes(data) + ".dir")


def write_tree(root: Path, tree: Tree) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for path, content in tree.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)


def read_tree(root: Path) -> Tree:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def clean(root: Path) -> bool:
    """Whether nothing temporary is left."""
    return not [path for path in root.rglob("*") if path.name.endswith(".tmp")]


def with_types(store: ObjectStore, *types: str) -> ObjectStore:
    return ObjectStore(store.root, state=store.state, link_types=types)


A: Tree = {"a": b"a", "s/b": b"b", "s/t/c": b"c", "same": b"a", "none": b""}


@pytest.mark.parametrize("types", [("reflink", "copy"), ("copy",), ("hardlink",), ("symlink",)])
def test_files_and_modes_are_as_dvc_leaves_them(
    tmp_path: Path, dvc_repo: Make, snapshot: Look, types: tuple[str, ...]
) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    repo = dvc_repo(theirs, {"type": list(types)})
    write_tree(theirs / "dir", A)
    (theirs / "file").write_bytes(b"file")
    (theirs / "exec").write_bytes(b"exec")
    (theirs / "exec").chmod(0o755)
    cache = ours / ".dvc" / "cache" / "files" / "md5"
    store = ObjectStore(str(cache), state=State(str(tmp_path / "state")), link_types=types)
    outs = []
    for name in ("dir", "file", "exec"):
        (stage,) = repo.add([str(theirs / name)])
        outs.append((name, stage.outs[0].hash_info.value, stage.outs[0].meta.isexec))
        remove(str(theirs / name))
    shutil.copytree(theirs / ".dvc" / "cache", ours / ".dvc" / "cache")
    for name, md5, isexec in outs:
        assert checkout(md5, str(ours / name), store, isexec=isexec)
    repo.checkout()
    left, right = snapshot(theirs), snapshot(ours)
    workspace = [name for name in left if name.split("/")[0] in ("dir", "file", "exec")]
    assert len(workspace) == 10
    assert {name: right.get(name) for name in workspace} == {name: left[name] for name in workspace}
    for name, md5, isexec in outs:
        assert not checkout(md5, str(ours / name), store, isexec=isexec)


paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)


def consistent(tree: Tree) -> bool:
    return not any(other.startswith(path + "/") for path in tree for other in tree)


tree_maps = st.dictionaries(paths, st.binary(max_size=2), max_size=6).filter(consistent)


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    before=tree_maps | st.none() | st.binary(max_size=2),
    after=tree_maps,
    types=st.sampled_from([("copy",), ("hardlink", "copy"), ("symlink",)]),
    copy=st.booleans(),
)
def test_from_anything_to_any_tree(
    tmp_path_factory: pytest.TempPathFactory,
    before: Tree | bytes | None,
    after: Tree,
    types: tuple[str, ...],
    copy: bool,
) -> None:
    root = tmp_path_factory.mktemp("case")
    state = State(str(root / "state"))
    store = ObjectStore(str(root / "cache"), state=state, link_types=types)
    dest = root / "dest"
    if isinstance(before, bytes):
        dest.write_bytes(before)
    elif before is not None:
        write_tree(dest, before)
    md5 = put_tree(store, after)
    checkout(md5, str(dest), store, copy=copy)
    assert read_tree(dest) == after
    content = describe(str(dest), state)
    assert content is not None
    assert content.md5 == md5
    assert not checkout(md5, str(dest), store, copy=copy)
    assert clean(root)


def test_only_what_differs_is_touched(tmp_path: Path, store: ObjectStore) -> None:
    dest = tmp_path / "dest"
    write_tree(dest, {"keep": b"same", "change": b"old", "extra/deep/x": b"x", "s/extra": b"x"})
    (dest / "s" / "empty").mkdir()
    inode = (dest / "keep").stat().st_ino
    md5 = put_tree(store, {"keep": b"same", "change": b"new", "s/new": b"new"})
    assert checkout(md5, str(dest), store)
    assert read_tree(dest) == {"keep": b"same", "change": b"new", "s/new": b"new"}
    assert (dest / "keep").stat().st_ino == inode
    assert not (dest / "extra").exists()
    assert (dest / "s" / "empty").exists()


def test_a_new_directory_appears_at_once(
    tmp_path: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    dest = tmp_path / "deep" / "er" / "dest"
    md5 = put_tree(store, A)

    def failing(source: str, target: str) -> None:
        assert not dest.exists()
        raise KeyboardInterrupt

    monkeypatch.setattr("mlxkit.store.staging.os.replace", failing)
    monkeypatch.setattr("mlxkit.store.staging.os.rename", failing)
    with pytest.raises(KeyboardInterrupt):
        checkout(md5, str(dest), store)
    assert not dest.exists()
    assert clean(tmp_path)


def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path, store: ObjectStore) -> None:
    from mlxkit.store.staging import Staging

    dest = tmp_path / "dest"
    write_tree(dest, A)
    left = Staging(str(dest))
    left.__enter__()
    Path(left.new()).write_bytes(b"half")
    assert os.path.dirname(left.path) == str(tmp_path)  # never inside of an output
    checkout(put_tree(store, {"a": b"other"}), str(dest), store)
    assert clean(tmp_path)


@pytest.mark.parametrize("damage", ["missing", "corrupt", "no tree", "corrupt tree"])
def test_nothing_happens_unless_all_objects_are_whole(
    tmp_path: Path, store: ObjectStore, damage: str
) -> None:
    dest = tmp_path / "dest"
    write_tree(dest, {"a": b"mine"})
    md5 = put_tree(store, A)
    path = Path(store.path(md5 if "tree" in damage else md5_bytes(b"c")))
    if "corrupt" in damage:
        path.chmod(0o644)
        path.write_bytes(path.read_bytes().replace(b"c", b"d"))
        path.chmod(0o444)  # as trustworthy as it can look
    else:
        path.unlink()
    with pytest.raises(MissingObject, match="not in the cache, or damaged") as caught:
        checkout(md5, str(dest), store)
    assert caught.value.hint
    assert read_tree(dest) == {"a": b"mine"}
    file = tmp_path / "file"
    with pytest.raises(MissingObject):
        checkout("0" * 32, str(file), store)
    assert not file.exists()


@pytest.mark.parametrize(
    "path", [".git/hooks/post-checkout", "a/.GIT/config", ".dvc/config", ".git"]
)
def test_no_repository_is_planted(tmp_path: Path, store: ObjectStore, path: str) -> None:
    with pytest.raises(BadObject, match="would write"):
        checkout(put_tree(store, {path: b"x"}), str(tmp_path / "dest"), store)
    assert not (tmp_path / "dest").exists()


def test_a_hostile_tree_writes_nothing(tmp_path: Path, store: ObjectStore) -> None:
    data = json.dumps([{"md5": put(store, b"x"), "relpath": "../escaped"}]).encode()
    md5 = put(store, data, md5_bytes(data) + ".dir")
    with pytest.raises(BadObject, match="unsafe path"):
        checkout(md5, str(tmp_path / "dest"), store)
    assert not (tmp_path / "escaped").exists()


def test_a_linked_directory_inside_is_not_written_through(
    tmp_path: Path, store: ObjectStore
) -> None:
    outside, dest = tmp_path / "outside", tmp_path / "dest"
    write_tree(outside, {"b": b"theirs"})
    write_tree(dest, {"a": b"old"})
    (dest / "s").symlink_to(outside)
    with pytest.raises(UnusablePath, match="dest/s' is a link"):
        checkout(put_tree(store, A), str(dest), store)
    assert read_tree(outside) == {"b": b"theirs"}
    assert (dest / "a").read_bytes() == b"old"


def test_a_linked_destination_is_replaced_not_followed(tmp_path: Path, store: ObjectStore) -> None:
    outside, dest = tmp_path / "outside", tmp_path / "dest"
    write_tree(outside, {"b": b"theirs"})
    dest.symlink_to(outside)
    checkout(put_tree(store, A), str(dest), store)
    assert read_tree(outside) == {"b": b"theirs"}
    assert not dest.is_symlink()
    assert read_tree(dest) == A
    remove(str(dest))
    dest.symlink_to(outside / "b")
    checkout(put(store, b"ours"), str(dest), store)
    assert (outside / "b").read_bytes() == b"theirs"
    assert dest.read_bytes() == b"ours"


def test_a_linked_destination_that_is_right_already_stays(
    tmp_path: Path, store: ObjectStore
) -> None:
    outside, dest = tmp_path / "outside", tmp_path / "dest"
    write_tree(outside, A)
    dest.symlink_to(outside)
    assert not checkout(put_tree(store, A), str(dest), store)
    assert dest.is_symlink()


def test_links_in_the_way_are_replaced(tmp_path: Path, store: ObjectStore) -> None:
    outside, dest = tmp_path / "outside", tmp_path / "dest"
    write_tree(outside, {"f": b"theirs"})
    dest.mkdir()
    (dest / "a").symlink_to(outside / "f")
    (dest / "same").symlink_to("nowhere")
    (dest / "none").symlink_to(outside)
    (dest / "extra").symlink_to(outside / "f")
    (dest / "broken").symlink_to("nowhere")
    checkout(put_tree(store, A), str(dest), store)
    assert read_tree(outside) == {"f": b"theirs"}
    assert read_tree(dest) == A
    assert not (dest / "a").is_symlink()
    assert not os.path.lexists(dest / "extra")
    assert not os.path.lexists(dest / "broken")


def test_what_is_no_data_is_never_deleted(tmp_path: Path, store: ObjectStore) -> None:
    dest = tmp_path / "dest"
    write_tree(dest, {"x": b"x", ".git/config": b"theirs", "f/.git/config": b"theirs"})
    checkout(put_tree(store, {"a": b"a"}), str(dest), store)
    assert read_tree(dest) == {"a": b"a", ".git/config": b"theirs", "f/.git/config": b"theirs"}
    with pytest.raises(UnusablePath, match=r"dest/f' has to become a file"):
        checkout(put_tree(store, {"f": b"f"}), str(dest), store)
    assert (dest / "a").exists()

    def hide(root: str, dirs: list[str], files: list[str]) -> tuple[list[str], list[str]]:
        return dirs, [name for name in files if not name.endswith(".log")]

    write_tree(dest, {"run.log": b"log", "s/run.log": b"log"})
    checkout(put_tree(store, {"b": b"b"}), str(dest), store, ignore=hide)
    assert (dest / "run.log").exists()
    assert (dest / "s" / "run.log").exists()


def test_a_directory_gives_way_to_a_file_and_back(tmp_path: Path, store: ObjectStore) -> None:
    dest = tmp_path / "dest"
    directory, file = put_tree(store, A), put(store, b"file")
    for _ in range(2):
        checkout(directory, str(dest), store)
        assert read_tree(dest) == A
        checkout(file, str(dest), store)
        assert dest.read_bytes() == b"file"
    assert clean(tmp_path)


def test_copies_on_demand(tmp_path: Path, store: ObjectStore) -> None:
    linking = with_types(store, "hardlink")
    md5, dest = put_tree(store, {"a": b"a"}), tmp_path / "dest"
    checkout(md5, str(dest), linking)
    assert (dest / "a").stat().st_nlink == 2
    assert checkout(md5, str(dest), linking, copy=True)
    assert (dest / "a").stat().st_nlink == 1
    assert stat.S_IMODE((dest / "a").stat().st_mode) == 0o644
    assert not checkout(md5, str(dest), linking, copy=True)


def test_the_next_link_type_is_taken(tmp_path: Path, store: ObjectStore, small_disk: Path) -> None:
    md5 = put_tree(store, {"a": b"a"})
    checkout(md5, str(small_disk / "dest"), with_types(store, "hardlink", "symlink"))
    assert (small_disk / "dest" / "a").is_symlink()
    with pytest.raises(MlxError, match="none of the configured link types"):
        checkout(md5, str(small_disk / "other"), with_types(store, "hardlink"))


def test_a_destination_that_is_a_mount_point(store: ObjectStore, small_disk: Path) -> None:
    write_tree(small_disk, {"a": b"old", "x": b"x"})
    checkout(put_tree(store, A), str(small_disk), store)
    assert read_tree(small_disk) == A
    assert clean(small_disk)


def test_a_full_disk_keeps_what_was_there(store: ObjectStore, small_disk: Path) -> None:
    dest = small_disk / "dest"
    write_tree(dest, {"a": b"old", "x": b"x"})
    md5 = put_tree(store, {"a": b"new", "big": bytes(2_000_000)})
    with pytest.raises(DiskFull) as caught:
        checkout(md5, str(dest), store)
    assert caught.value.hint
    assert read_tree(dest) == {"a": b"old", "x": b"x"}
    assert clean(small_disk)


def test_a_workspace_edit_through_a_hard_link_is_found(tmp_path: Path, store: ObjectStore) -> None:
    linking = with_types(store, "hardlink")
    md5, dest = put(store, b"data"), tmp_path / "dest"
    checkout(md5, str(dest), linking)
    assert store.whole(md5)
    dest.chmod(0o644)
    dest.write_bytes(b"DATA")
    dest.chmod(0o444)
    assert not store.whole(md5)
    content: Content | None = describe(str(dest), store.state)
    assert content is not None
    assert content.md5 != md5


def test_remove(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write_tree(outside, {"f": b"f"})
    for name in ("link", "dir/link"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(outside)
    (tmp_path / "dir" / "closed").mkdir()
    (tmp_path / "dir" / "closed" / "f").write_bytes(b"f")
    (tmp_path / "dir" / "closed" / "f").chmod(0o444)
    (tmp_path / "dir" / "closed").chmod(0o555)
    for name in ("link", "dir", "missing", "outside/f"):
        remove(str(tmp_path / name))
        assert not os.path.lexists(tmp_path / name)
    assert outside.is_dir()


def test_what_a_killed_checkout_left_beside_goes_when_there_is_nothing_to_do(
    tmp_path: Path, store: ObjectStore
) -> None:
    dest = tmp_path / "dest"
    md5 = put_tree(store, A)
    checkout(md5, str(dest), store)
    left = Path(Staging(str(dest)).path)
    left.mkdir()
    (left / "1").write_text("old")
    assert not checkout(md5, str(dest), store)
    assert not left.exists()

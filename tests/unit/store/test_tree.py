"""A path's content as DVC records it, with DVC as the judge."""

import json
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import MlxError
from mlxkit.store.errors import BadObject, BrokenLink, UnusablePath
from mlxkit.store.folder import RECORD, pack_names
from mlxkit.store.objects import ObjectStore
from mlxkit.store.state import State
from mlxkit.store.tree import Content, describe, make_folder, parse_tree, tree_bytes

MD5 = "d41d8cd98f00b204e9800998ecf8427e"
DvcDescribe = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="module")
def area(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("area")


@pytest.fixture(scope="module")
def dvc_describe(area: Path, dvc_home: Path) -> Iterator[DvcDescribe]:
    from dvc.repo import Repo
    from dvc_data.hashfile.build import build
    from dvc_data.hashfile.state import StateNoop

    repo = Repo.init(str(area), no_scm=True)
    repo.cache.local.state = StateNoop()

    def record(path: Path) -> dict[str, Any]:
        _, meta, obj = build(
            repo.cache.local, str(path), repo.fs, "md5", ignore=repo.dvcignore, dry_run=True
        )
        recorded = {"md5": obj.hash_info.value, **meta.to_dict()}
        recorded.pop("isdir", None)
        return recorded

    yield record
    repo.close()


def recorded(content: Content | None) -> dict[str, Any]:
    assert content is not None
    entry: dict[str, Any] = {"md5": content.md5, "size": content.size}
    if content.nfiles is not None:
        entry["nfiles"] = content.nfiles
    if content.isexec:
        entry["isexec"] = True
    return entry


names = st.text(st.sampled_from("ab.- _Z\\\"'\té✓😀"), min_size=1, max_size=4).filter(
    lambda name: name not in {".", "..", ".dvcignore"}
) | st.sampled_from([".git", ".hg", os.fsdecode(b"\xff\xfe")])
files = st.tuples(st.binary(max_size=12), st.sampled_from([0o644, 0o755, 0o600, 0o010 | 0o600]))
trees = st.recursive(
    files | st.sampled_from(["link", "dirlink"]),
    lambda inner: st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def lay_out(path: Path, tree: Any, target: Path) -> None:
    if tree == "link":
        path.symlink_to(target / "file")
    elif tree == "dirlink":
        path.symlink_to(target)
    elif isinstance(tree, tuple):
        path.write_bytes(tree[0])
        path.chmod(tree[1])
    else:
        path.mkdir()
        for name, inner in tree.items():
            lay_out(path / name, inner, target)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(tree=trees, nested=st.booleans())
def test_random_trees_as_dvc_sees_them(
    area: Path, dvc_describe: DvcDescribe, tree: Any, nested: bool
) -> None:
    number = len(list(area.iterdir()))
    target = area / "target"
    target.mkdir(exist_ok=True)
    (target / "file").write_bytes(b"linked")
    path = area / f"tree{number}"
    lay_out(path, tree, target)
    if nested and isinstance(tree, dict):
        # Not deeper: DVC takes the names above a nested repository for patterns.
        (path / "repo" / ".dvc").mkdir(parents=True)
        (path / "repo" / "theirs").write_bytes(b"theirs")
        (path / ".dvc").mkdir()
        (path / ".dvc" / "config").write_bytes(b"")
    state = State(str(area / "state"))
    content = describe(str(path), state)
    assert recorded(content) == dvc_describe(path)
    assert describe(str(path), state) == content


def test_the_same_with_dvcs_own_patterns(
    tmp_path: Path, dvc_repo: Callable[..., Any], state: State
) -> None:
    repo = dvc_repo(tmp_path / "r", {})
    from dvc_data.hashfile.build import build

    top = tmp_path / "r" / "data"
    (top / "sub" / "skip").mkdir(parents=True)
    for name in ("a", "a.tmp", "sub/b", "sub/b.tmp", "sub/skip/c"):
        (top / name).write_text(name)
    (tmp_path / "r" / ".dvcignore").write_text("*.tmp\nskip/\n")
    repo._reset()
    _, meta, obj = build(
        repo.cache.local, str(top), repo.fs, "md5", ignore=repo.dvcignore, dry_run=True
    )
    content = describe(str(top), state, repo.dvcignore)
    assert recorded(content) == {
        "md5": obj.hash_info.value,
        "size": meta.size,
        "nfiles": meta.nfiles,
    }
    assert content is not None
    assert [path for path, _ in content.entries or ()] == ["a", "sub/b"]


def test_a_nested_repository_is_no_data(tmp_path: Path, state: State) -> None:
    (tmp_path / "d" / "other" / ".dvc").mkdir(parents=True)
    (tmp_path / "d" / "other" / "file").write_text("x")
    (tmp_path / "d" / "mine").write_text("y")
    content = describe(str(tmp_path / "d"), state)
    assert content is not None
    assert [path for path, _ in content.entries or ()] == ["mine"]


def test_nothing_there(tmp_path: Path, state: State) -> None:
    assert describe(str(tmp_path / "missing"), state) is None
    (tmp_path / "file").write_text("x")
    assert describe(str(tmp_path / "file" / "below"), state) is None


def test_a_file_changed_in_a_directory_changes_its_digest(tmp_path: Path, state: State) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_bytes(b"one")
    first = describe(str(tmp_path / "d"), state)
    (tmp_path / "d" / "f").write_bytes(b"two")  # same size, same tick
    assert describe(str(tmp_path / "d"), state) != first


def test_an_ignore_file_inside_of_data_is_refused(tmp_path: Path, state: State) -> None:
    (tmp_path / "d" / "sub").mkdir(parents=True)
    (tmp_path / "d" / "sub" / ".dvcignore").write_text("*")
    with pytest.raises(UnusablePath, match=r"sub' holds a \.dvcignore"):
        describe(str(tmp_path / "d"), state)


def test_links_to_nothing(tmp_path: Path, state: State) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "gone").symlink_to("nowhere")
    with pytest.raises(BrokenLink, match="d/gone"):
        describe(str(tmp_path / "d"), state)
    with pytest.raises(BrokenLink, match="d/gone"):
        describe(str(tmp_path / "d" / "gone"), state)
    (tmp_path / "d" / "gone").unlink()
    (tmp_path / "d" / "loop").symlink_to("loop")
    with pytest.raises(MlxError, match="d/loop"):
        describe(str(tmp_path / "d"), state)
    with pytest.raises(MlxError, match="d/loop"):
        describe(str(tmp_path / "d" / "loop"), state)


def test_what_is_neither_file_nor_directory(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d").mkdir()
    monkeypatch.chdir(tmp_path / "d")  # a socket's path must be short
    os.mkfifo("pipe")
    for path in (tmp_path / "d", tmp_path / "d" / "pipe"):
        with pytest.raises(UnusablePath, match="d/pipe' is neither"):
            describe(str(path), state)
    os.unlink("pipe")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("sock")
        with pytest.raises(UnusablePath, match="d/sock' is neither"):
            describe(str(tmp_path / "d"), state)


@pytest.fixture
def unprivileged(tmp_path: Path) -> Iterator[Path]:
    """A directory of a user for whom permissions count, and that user as who we are."""
    superuser = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        if superuser:
            os.chown(name, 65534, -1)
            os.seteuid(65534)
        try:
            yield Path(name)
        finally:
            if superuser:
                os.seteuid(0)


def test_what_may_not_be_read(unprivileged: Path, state: State) -> None:
    closed = unprivileged / "d" / "closed"
    closed.mkdir(parents=True)
    closed.chmod(0)
    with pytest.raises(UnusablePath, match=r"cannot read .*closed"):
        describe(str(unprivileged / "d"), state)
    closed.chmod(0o700)
    (closed / "file").write_text("x")
    (closed / "file").chmod(0)
    for path in (unprivileged / "d", closed / "file"):
        with pytest.raises(UnusablePath, match=r"cannot read .*closed/file"):
            describe(str(path), state)


def test_the_object_of_a_directory_round_trips(tmp_path: Path) -> None:
    entries = tuple(sorted([("a/b", MD5), ("a-c", MD5), ("é\n\\", MD5), ("x" * 255, MD5)]))
    data = tree_bytes(entries)
    assert parse_tree(data) == entries
    assert data == json.dumps(json.loads(data), sort_keys=True).encode()


def entry(path: object, md5: object = MD5) -> dict[str, object]:
    return {"md5": md5, "relpath": path}


@pytest.mark.parametrize(
    "tree",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 200_000,
        b"null",
        b"{}",
        b'"text"',
        b"[1]",
        b"[[]]",
        [{"md5": MD5}],
        [{"relpath": "a"}],
        [entry("")],
        [entry(1)],
        [entry(None)],
        [entry(["a"])],
        [entry("/etc/passwd")],
        [entry("..")],
        [entry("../a")],
        [entry("a/../b")],
        [entry("a/..")],
        [entry(".")],
        [entry("./a")],
        [entry("a/.")],
        [entry("a//b")],
        [entry("a/")],
        [entry("a\0b")],
        [entry("\ud800")],
        [entry("x" * 256)],
        [entry("d/" + "é" * 128)],
        [entry("a", 1)],
        [entry("a", MD5[:-1])],
        [entry("a", MD5.upper())],
        [entry("a", MD5 + "\n")],
        [entry("a", MD5 + ".dir")],
        [entry("a", "../" + MD5[3:])],
        [entry("a"), entry("a")],
        [entry("a"), entry("a/b")],
        [entry("a/b/c/d"), entry("a/b")],
        [entry("z"), entry("a/b/c"), entry("a/b/d"), entry("a")],
    ],
    ids=lambda tree: str(tree)[:40],
)
def test_a_hostile_directory_object_is_refused(tree: Any) -> None:
    data = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    with pytest.raises(BadObject):
        parse_tree(data)


@pytest.mark.parametrize(
    "path", ["...", "..a", "a..", "a.", ".a", "a b", "~", "a\\b", "-rf", "a\n"]
)
def test_odd_but_harmless_names_are_allowed(path: str) -> None:
    assert parse_tree(json.dumps([entry(path)]).encode()) == ((path, MD5),)


@pytest.mark.parametrize("name", ['a", "md5": "', '{"md5": "' + "0" * 32 + '", "relpath": "', "ü"])
@pytest.mark.parametrize("in_index", [False, True])
def test_the_children_of_a_folder_with_strange_names(
    name: str, in_index: bool, tmp_path: Path
) -> None:
    one, other = md5_bytes(b"1"), md5_bytes(b"2")
    data = tree_bytes(sorted([(name, one), ("other", other)]))
    store = ObjectStore(str(tmp_path / "cache"), state=State(str(tmp_path / "state")))
    digest = md5_bytes(data) + ".dir"
    store.ingest().data(data, store.path(digest), digest)
    if in_index:
        names = pack_names(sorted([name, "other"]))
        order = [one, other] if name < "other" else [other, one]
        records = b"".join(RECORD.pack(1, 1, 1, 1, 9 * 10**9, bytes.fromhex(md5)) for md5 in order)
        store.state.remember_folder("/elsewhere", make_folder(names, records, data))
    assert store.children(digest) == {one, other}


def test_the_children_of_a_folder_that_another_tool_wrote(tmp_path: Path) -> None:
    data = b'[{"relpath":"a","md5":"' + md5_bytes(b"1").encode() + b'"}]'
    store = ObjectStore(str(tmp_path / "cache"), state=State(str(tmp_path / "state")))
    digest = md5_bytes(data) + ".dir"
    store.ingest().data(data, store.path(digest), digest)
    assert store.children(digest) == {md5_bytes(b"1")}

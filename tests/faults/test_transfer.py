"""Remotes that lie, full disks: nothing wrong is kept, and the rest arrives."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.cached import cached, dvc_file, objects_below
from tests.support.disk import KIB, SmallDisk
from tests.support.project import Project
from tests.support.serve_http import Handler, HttpServer
from tests.support.servers import Servers
from tests.support.tools import Tools

pytest_plugins = ["tests.support.servers"]

FILES = {"data/a": b"aaa\n", "data/b": b"bbb\n", "data/c": b"ccc\n", "other": b"other\n"}
OBJECTS = ".dvc/cache/files/md5"


def digest(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


@pytest.fixture(scope="module")
def pushed_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder and a file in a remote; copied, never changed."""
    project = Project.copy(template, tmp_path_factory.mktemp("pushed") / "project", tools)
    for path, content in FILES.items():
        project.write(path, content)
    project.dvc("add", "-q", "data", "other").ok()
    project.dvc("remote", "add", "-q", "-d", "store", "store").ok()
    project.write(".dvc/config", project.read(".dvc/config").replace("../store", "../../store"))
    project.tools.commit(project.root, "data")
    return project.root


@pytest.fixture
def pushed(pushed_once: Path, tools: Tools, tmp_path: Path) -> Project:
    """A folder and a file that are in a remote, and nowhere else."""
    project = Project.copy(pushed_once, tmp_path / "project", tools)
    project.mlx("push").ok()
    project.sh("rm -rf .dvc/cache data other")
    return project


def remote_path(project: Project, md5: str) -> Path:
    return project.root.parent / "store/files/md5" / md5[:2] / md5[2:]


def whole(folder: Path) -> None:
    """Check that every object below a folder is what its name says, and nothing else is there."""
    for path in folder.rglob("*"):
        if path.is_file():
            assert digest(path.read_bytes()) == (path.parent.name + path.name)[:32], path


BAD: dict[str, Callable[[Path], object]] = {
    "wrong": lambda path: path.write_bytes(b"bbb!"),
    "half": lambda path: path.write_bytes(b"bb"),
    "empty": lambda path: path.write_bytes(b""),
    "longer": lambda path: path.write_bytes(b"b" * 100_000),
    "pipe": os.mkfifo,
    "endless": lambda path: path.symlink_to("/dev/zero"),
    "folder": os.mkdir,
    "absent": lambda path: None,
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_object_is_refused_and_the_rest_arrives(kind: str, pushed: Project) -> None:
    path = remote_path(pushed, digest(b"bbb\n"))
    path.unlink()
    BAD[kind](path)
    result = pushed.mlx("fetch")
    assert result.code == 6, str(result)
    assert "data/b: " in result.stderr and "hint: " in result.stderr
    assert result.stdout.startswith("fetched 4 files")
    whole(pushed.root / OBJECTS)
    assert digest(b"bbb\n") not in cached(pushed)
    again = pushed.mlx("fetch", "--json")
    assert (again.code, again.json) == (6, {"fetched": 0, "failed": ["data/b"]})

    pulled = pushed.mlx("pull", "--json")
    assert pulled.code == 6 and pulled.json["added"] == ["other"]
    if kind == "folder":
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    path.write_bytes(b"bbb\n")
    assert pushed.mlx("pull", "--json").ok().json["fetched"] == 1
    assert (pushed.root / "data/b").read_bytes() == b"bbb\n"


EVIL = {
    "above": [("../evil", b"x")],
    "absolute": [("/tmp/evil", b"x")],
    "nul": [("a\0b", b"x")],
    "twice": [("a", b"x"), ("a", b"y")],
    "inside a file": [("a", b"x"), ("a/b", b"y")],
    "private": [("a/../../.git/config", b"x")],
}


@pytest.mark.parametrize("kind", EVIL)
def test_an_evil_folder_is_refused_by_name(kind: str, pushed: Project) -> None:
    listing = [{"md5": digest(text), "relpath": path} for path, text in EVIL[kind]]
    data = json.dumps(listing).encode()
    name = digest(data) + ".dir"
    for md5, content in [(name, data), *((digest(text), text) for _, text in EVIL[kind])]:
        remote_path(pushed, md5).parent.mkdir(exist_ok=True)
        remote_path(pushed, md5).write_bytes(content)
    pushed.write("evil.dvc", dvc_file(name, "evil"))
    result = pushed.mlx("pull")
    assert result.code == 6, str(result)
    assert "evil: its directory object is unusable" in result.stderr
    assert (pushed.root / "data/b").exists() and (pushed.root / "other").exists()
    assert not (pushed.root / "evil").exists() and name not in cached(pushed)


@pytest.mark.parametrize("content", [b"{", b"[]" * 9, b'{"a": 1}', b"\xff\xfe", b"[[[[" * 50_000])
def test_a_folder_that_is_no_list(content: bytes, pushed: Project) -> None:
    name = digest(content) + ".dir"
    remote_path(pushed, name).parent.mkdir(exist_ok=True)
    remote_path(pushed, name).write_bytes(content)
    pushed.write("evil.dvc", dvc_file(name, "evil"))
    result = pushed.mlx("fetch")
    assert result.code == 6 and "evil: " in result.stderr, str(result)
    assert len(cached(pushed)) == 5


def test_a_damaged_object_of_the_cache_is_not_pushed(pushed: Project) -> None:
    pushed.mlx("fetch").ok()
    pushed.sh("rm -r ../store")
    path = pushed.root / OBJECTS / digest(b"bbb\n")[:2] / digest(b"bbb\n")[2:]
    path.chmod(0o644)
    path.write_bytes(b"rotten")
    path.chmod(0o444)
    result = pushed.mlx("push")
    assert result.code == 1, str(result)
    assert "data/b: its bytes are not what its name says" in result.stderr
    store = pushed.root.parent / "store/files/md5"
    assert objects_below(store) == {digest(FILES[name]) for name in ("data/a", "data/c", "other")}


def test_what_is_nowhere_is_named(pushed: Project) -> None:
    remote_path(pushed, digest(b"other\n")).unlink()
    result = pushed.mlx("push", "--json")
    assert (result.code, result.json) == (1, {"pushed": 0, "failed": ["other"]})


def big(project: Project) -> None:
    for number in range(6):
        project.write(f"big/{number}", bytes([number]) * 600 * KIB)
    project.dvc("add", "-q", "big").ok()


def test_a_full_remote(project: Project, small_disk: SmallDisk) -> None:
    big(project)
    disk = small_disk.resize(2 * KIB)
    project.dvc("remote", "add", "-q", "-d", "store", str(disk / "store")).ok()
    result = project.mlx("push")
    assert result.code == 6 and "no room left" in result.stderr, str(result)
    whole(disk)
    small_disk.resize(20 * KIB)
    project.mlx("push").ok()
    assert len(objects_below(disk / "store/files/md5")) == 7


def test_a_full_cache(project: Project, small_disk: SmallDisk) -> None:
    big(project)
    disk = small_disk.resize(2 * KIB)
    project.dvc("remote", "add", "-q", "-d", "store", "../store").ok()
    project.mlx("push").ok()
    project.dvc("cache", "dir", "-q", str(disk / "cache")).ok()
    result = project.mlx("fetch")
    assert result.code == 1 and "no room left" in result.stderr, str(result)
    whole(disk)
    small_disk.resize(20 * KIB)
    project.mlx("fetch").ok()
    assert len(objects_below(disk / "cache/files/md5")) == 7


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_remote_that_may_not_be_written(pushed: Project) -> None:
    pushed.mlx("fetch").ok()
    pushed.sh("rm -r ../store/files; chmod 555 ../store")
    result = pushed.mlx("push")
    assert result.code == 6 and "store" in result.stderr


def endless(handler: Handler, body: bytes) -> None:
    """Say that the body is a gigabyte, and begin to send it."""
    handler.answer(200, body * 100, length=1 << 30)
    handler.close_connection = True


LIES: dict[str, Callable[[Handler, bytes], None]] = {
    "wrong": lambda handler, body: handler.answer(200, body[:-1] + b"!"),
    "longer": lambda handler, body: handler.answer(200, body * 1000),
    "endless": endless,
    "broken": lambda handler, body: handler.answer(500),
    "absent": lambda handler, body: handler.answer(404),
}


@pytest.mark.parametrize("kind", LIES)
def test_a_server_that_lies(kind: str, pushed: Project, servers: Servers) -> None:
    pushed.mlx("fetch").ok()
    remote, server = servers.remote("http"), servers.get("http")
    assert isinstance(server, HttpServer)
    remote.add_to(pushed)
    pushed.mlx("push").ok()
    pushed.sh("rm -rf .dvc/cache")
    name = digest(b"bbb\n")
    server.lie(remote, f"files/md5/{name[:2]}/{name[2:]}", LIES[kind])
    result = pushed.mlx("fetch", "--json")
    assert (result.code, result.json) == (6, {"fetched": 4, "failed": ["data/b"]}), str(result)
    whole(pushed.root / OBJECTS)
    assert list((pushed.root / ".mlx/cache/remotes").glob("*")) == []


def test_a_server_that_is_gone(pushed: Project) -> None:
    pushed.dvc("remote", "add", "-q", "-f", "-d", "gone", "http://127.0.0.1:1/x").ok()
    for verb in ("fetch", "pull"):
        result = pushed.mlx(verb)
        assert result.code == 6, str(result)
        assert "remote 'gone'" in result.stderr and "hint: " in result.stderr
        assert "Traceback" not in result.stderr

"""Remotes that fail or lie: one clear error, what is good is kept, nothing wrong is believed."""

import json
import os
import random
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.support.commands import Result
from tests.support.lies import ENDLESS, LIES, Endless
from tests.support.long import sampled
from tests.support.project import Project
from tests.support.proxy import Cut, Proxy
from tests.support.remote import Remote, digest_of, folder_listing, key_of, md5, new_name
from tests.support.serve_http import HttpServer
from tests.support.snapshot import assert_alike
from tests.support.tools import Tools

if TYPE_CHECKING:
    from tests.support.servers import Servers  # a plugin: pytest imports it

pytest_plugins = ["tests.support.servers"]

KINDS = ("s3", "ssh", "webdav", "http")
OUTS = ("data", "big.bin", "one.txt")
FAILED, PROJECT, REMOTE = 1, 4, 6
# The library below mlx has its own patience with a server, of several seconds.
QUICK = {"AWS_MAX_ATTEMPTS": "1"}


@pytest.fixture(scope="session")
def filled_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files, a big one and a small one; copied, never changed."""
    project = Project.copy(template, tmp_path_factory.mktemp("filled") / "project", tools)
    noise = random.Random(1)
    for number in range(12):
        project.write(f"data/{number % 3}/{number}.bin", noise.randbytes(40_000))
    project.write("big.bin", noise.randbytes(1 << 20))
    project.write("one.txt", "one\n")
    project.dvc("add", "-q", *OUTS).ok()
    tools.commit(project.root, "data")
    return project.root


@pytest.fixture
def filled(filled_once: Path, tools: Tools, tmp_path: Path) -> Project:
    """A folder of files, a big one and a small one."""
    return Project.copy(filled_once, tmp_path / "project", tools)


@pytest.fixture(scope="session")
def sent_to(
    servers: "Servers", filled_once: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Make sure that dvc has sent it all to a server of a kind; the name of the place."""
    names: dict[str, str] = {}

    def send(kind: str) -> str:
        if kind not in names:
            remote = servers.remote(kind)
            project = Project.copy(filled_once, tmp_path_factory.mktemp("sent") / "project", tools)
            remote.add_to(project)
            project.dvc("push", "-q").ok()
            names[kind] = remote.name
        return names[kind]

    return send


def _wipe(project: Project) -> None:
    project.sh("rm -rf data big.bin one.txt .dvc/cache")


def _cached(project: Project) -> dict[str, str]:
    """The objects of the cache; nothing else is in there, and each is what its name says."""
    snapshot = project.snapshot()
    assert snapshot.litter == {}, "something temporary was left behind"
    return {key: digest_of(key)[:32] for key in snapshot.cache}


def _clear(result: Result, *names: str, codes: tuple[int, ...] = (REMOTE,)) -> None:
    """One error that names one of these things, and a hint."""
    assert result.code in codes, str(result)
    assert "Traceback" not in result.stderr, str(result)
    starts = [line.split(":")[0] for line in result.stderr.splitlines()]
    assert (starts.count("error"), starts.count("hint")) == (1, 1), str(result)
    assert any(name in result.stderr for name in names), f"none of {names} is named\n{result}"


CUTS = [(kind, 700_000, stays) for kind in KINDS for stays in (False, True)]
CUTS += [(kind, 60_000, True) for kind in ("ssh", "http")]
SLOW = ("s3", 700_000, True)  # the library below mlx tries again for seconds: once is enough


@pytest.mark.parametrize(("kind", "after", "stays"), sampled(CUTS, 5))
def test_a_push_that_is_cut(
    kind: str,
    after: int,
    stays: bool,
    filled: Project,
    servers: "Servers",
    proxy_to: Callable[[str], Proxy],
) -> None:
    proxy = proxy_to(kind)
    remote = servers.get(kind).remote(new_name(), proxy.port)
    remote.add_to(filled)
    expected = _cached(filled)
    proxy.cut(Cut("up", after, stays))
    _cut_off(filled.mlx("push", "-j", "16", **QUICK), proxy, stays)
    assert remote.wrong() == [], "half an object counts as one"
    kept = remote.objects()

    proxy.heal()
    so_far = len(remote.asked)
    filled.mlx("push").ok()
    assert remote.objects() == expected
    assert not kept.keys() & set(remote.keys("write", so_far)), "what arrived is sent again"
    assert _cached(filled) == expected


@pytest.mark.parametrize(
    ("kind", "after", "stays"), sampled([cut for cut in CUTS if cut != SLOW], 5)
)
def test_a_pull_that_is_cut(
    kind: str,
    after: int,
    stays: bool,
    filled: Project,
    servers: "Servers",
    sent_to: Callable[[str], str],
    proxy_to: Callable[[str], Proxy],
) -> None:
    proxy = proxy_to(kind)
    remote = servers.get(kind).remote(sent_to(kind), proxy.port)
    remote.add_to(filled)
    before = filled.snapshot()
    _wipe(filled)
    proxy.cut(Cut("down", after, stays))
    _cut_off(filled.mlx("pull", "-j", "16", **QUICK), proxy, stays)
    kept = _cached(filled)

    proxy.heal()
    so_far = len(remote.asked)
    filled.mlx("pull").ok()
    assert_alike(filled.snapshot(), before)
    assert not kept.keys() & set(remote.keys("read", so_far)), "what arrived is fetched again"


def _cut_off(result: Result, proxy: Proxy, stays: bool) -> None:
    """It came to an end in spite of it, or says what is missing."""
    assert proxy.cuts
    if stays or result.code:
        _clear(result, "store", *OUTS)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_one_connection_that_is_refused(
    number: int,
    filled: Project,
    servers: "Servers",
    sent_to: Callable[[str], str],
    proxy_to: Callable[[str], Proxy],
) -> None:
    """It is tried again."""
    proxy = proxy_to("http")
    servers.get("http").remote(sent_to("http"), proxy.port).add_to(filled)
    before = filled.snapshot()
    _wipe(filled)
    proxy.refuse(number)
    filled.mlx("pull").ok()
    assert proxy.cuts == 1
    assert_alike(filled.snapshot(), before)


@pytest.mark.parametrize(("verb", "kind"), [*(("push", kind) for kind in KINDS), ("fetch", "http")])
def test_nobody_answers(verb: str, kind: str, filled: Project, servers: "Servers") -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    servers.get(kind).remote(new_name(), port).add_to(filled)
    if verb == "fetch":
        _wipe(filled)
    _clear(filled.mlx(verb, **QUICK), "store", *OUTS)


@pytest.mark.parametrize("kind", ["ssh", "webdav"])
def test_a_wrong_password(kind: str, filled: Project, servers: "Servers") -> None:
    servers.remote(kind).add_to(filled)
    filled.dvc("remote", "modify", "-q", "--local", "store", "password", "s3cret").ok()
    result = filled.mlx("push")
    _clear(result, "store")
    assert "s3cret" not in result.stdout + result.stderr


@pytest.fixture
def web(
    filled: Project, servers: "Servers", sent_to: Callable[[str], str]
) -> tuple[HttpServer, Remote]:
    """A server with all of the project's data, that may be told to lie about some of it."""
    server = servers.get("http")
    assert isinstance(server, HttpServer)
    remote = server.copy(sent_to("http"))
    remote.add_to(filled)
    return server, remote


def _key(project: Project, path: str) -> str:
    """The key of a file's object, or of a folder's list."""
    target = project.root / path
    if not target.is_dir():
        return key_of(md5(target.read_bytes()))
    (out,) = yaml.safe_load(project.read(f"{path}.dvc"))["outs"]
    return key_of(out["md5"])


def _rest_is_here(project: Project, expected: dict[str, str], lacking: set[str]) -> None:
    """Only objects that nobody lied about are in the cache; files are as they were, or absent."""
    assert expected.items() >= _cached(project).items()
    assert not lacking & _cached(project).keys()
    assert project.read("one.txt") == "one\n", "the other data arrived"


def test_lies_about_files(filled: Project, web: tuple[HttpServer, Remote]) -> None:
    """All at once: each file is named, and comes with the next pull, when nobody lies."""
    server, remote = web
    before, expected = filled.snapshot(), _cached(filled)
    lies = {f"data/{number % 3}/{number}.bin": lie for number, lie in enumerate(LIES.values())}
    keys = {_key(filled, path) for path in lies}
    for path, lie in lies.items():
        server.lie(remote, _key(filled, path), lie)
    _wipe(filled)
    result = filled.mlx("pull")
    _clear(result, "data")
    assert [path for path in lies if path not in result.stderr] == []
    _rest_is_here(filled, expected, keys)
    assert _cached(filled).keys() >= expected.keys() - keys, "what nobody lies about is here"
    for path in lies:
        assert not (filled.root / path).exists()

    server.tell_the_truth(remote)
    filled.mlx("pull").ok()
    assert_alike(filled.snapshot(), before)


@pytest.mark.parametrize("lie", ["other bytes of the same length", "half, announced as half"])
@pytest.mark.parametrize("path", ["big.bin", "data"])
def test_a_lie(path: str, lie: str, filled: Project, web: tuple[HttpServer, Remote]) -> None:
    server, remote = web
    expected, key = _cached(filled), _key(filled, path)
    server.lie(remote, key, LIES[lie])
    _wipe(filled)
    _clear(filled.mlx("pull"), path)
    _rest_is_here(filled, expected, {key})
    assert not (filled.root / path).exists()


@pytest.mark.parametrize("path", ["one.txt", "data/0/0.bin", "data"])
def test_bytes_without_end(path: str, filled: Project, web: tuple[HttpServer, Remote]) -> None:
    """More than an object can have is not waited for."""
    server, remote = web
    expected, key, endless = _cached(filled), _key(filled, path), Endless()
    server.lie(remote, key, endless)
    _wipe(filled)
    _clear(filled.mlx("pull"), path)
    assert endless.most < ENDLESS // 4, "it goes on reading"
    assert expected.items() >= _cached(filled).items()
    assert key not in _cached(filled)
    assert (filled.root / "big.bin").exists(), "the other data arrived"


@pytest.fixture
def store(filled: Project, tmp_path: Path) -> Path:
    """A remote that is a folder, with all of the project's data."""
    folder = tmp_path / "store"
    filled.dvc("remote", "add", "-q", "-d", "store", str(folder)).ok()
    shutil.copytree(filled.root / ".dvc/cache", folder)  # laid out alike
    return folder


def _put(store: Path, content: bytes, suffix: str = "") -> str:
    """Add an object to a folder of objects; its name."""
    name = md5(content) + suffix
    path = store / key_of(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return name


def _as_folder(path: Path) -> None:
    path.mkdir()


def _as_link_to_nothing(path: Path) -> None:
    path.symlink_to("nowhere")


def _as_link_to_other_bytes(path: Path) -> None:
    path.symlink_to("/etc/passwd")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "other bytes": lambda path: path.write_bytes(b"\0" * 40_000),
    "half": lambda path: path.write_bytes(b"\0" * 20_000),
    "empty": lambda path: path.write_bytes(b""),
    "a folder": _as_folder,
    "a pipe": os.mkfifo,
    "a link to nothing": _as_link_to_nothing,
    "a link to other bytes": _as_link_to_other_bytes,
    "nothing": lambda path: None,
}


def test_a_damaged_folder_of_objects(filled: Project, store: Path) -> None:
    """All at once: each file is named, and the rest arrives."""
    expected = _cached(filled)
    damage = {f"data/{number % 3}/{number}.bin": how for number, how in enumerate(DAMAGE.values())}
    keys = {_key(filled, path) for path in damage}
    for path, how in damage.items():
        target = store / _key(filled, path)
        target.unlink()
        how(target)
    _wipe(filled)
    result = filled.mlx("pull")
    _clear(result, "data")
    assert [path for path in damage if path not in result.stderr] == []
    _rest_is_here(filled, expected, keys)


@pytest.mark.parametrize("how", ["other bytes", "empty", "a folder", "a pipe"])
def test_a_damaged_list_of_a_folder(how: str, filled: Project, store: Path) -> None:
    expected, key = _cached(filled), _key(filled, "data")
    (store / key).unlink()
    DAMAGE[how](store / key)
    _wipe(filled)
    _clear(filled.mlx("pull"), "data")
    _rest_is_here(filled, expected, {key})


GOOD = md5(b"one\n")  # an object that is there, so that only the list is to blame
Entry = dict[str, object]


def _file(relpath: object, digest: object = GOOD) -> Entry:
    return {"md5": digest, "relpath": relpath}


LISTS: dict[str, object] = {
    "a path that leads out": [_file("../escape")],
    "a path that goes in and leads out": [_file("n/../../escape")],
    "an absolute path": [_file("(outside)/escape")],
    "the folder above": [_file("..")],
    "the folder itself": [_file(".")],
    "no name": [_file("")],
    "a null byte": [_file("a\0b")],
    "the same name twice": [_file("x"), _file("x", md5(b""))],
    "a name twice in two spellings": [_file("n/x"), _file("n//x", md5(b""))],
    "a file and a folder of one name": [_file("x"), _file("x/y")],
    "a name of ten million bytes": [_file("x" * 10_000_000)],
    "a name that is too long": [_file("x" * 300)],
    "a name that is a number": [_file(7)],
    "half a character": [_file("\ud800")],
    "a digest that leads out": [_file("x", "../../../../escape")],
    "a digest that is none": [_file("x", "zz" * 16)],
    "a digest that is a number": [_file("x", 7)],
    "a folder inside": [_file("x", GOOD + ".dir")],
    "no digest": [{"relpath": "x"}],
    "an entry that is a list": [["x", GOOD]],
    "another shape": {"x": GOOD},
    "a number": 7,
}
TEXTS = {
    "not JSON": b"[{",
    "nothing": b"",
    "no text": b"\xff\xfe[]",
    "nested deeply": b"[" * 200_000 + b"]" * 200_000,
    "a long number": b'[{"relpath": "x", "md5": ' + b"9" * 1_000_000 + b"}]",
}


def _text(name: str, outside: Path) -> bytes:
    if name in TEXTS:
        return TEXTS[name]
    return json.dumps(LISTS[name]).replace("(outside)", str(outside)).encode()


def _track(project: Project, name: str, path: str, *more: str) -> None:
    """Write the `.dvc` file of something at a path."""
    lines = ["outs:", f"- md5: {name}", "  hash: md5", f"  path: {json.dumps(path)}", *more, ""]
    project.write("hostile.dvc", "\n".join(lines))


def _around(project: Project) -> dict[str, str]:
    """All that is beside the project."""
    beside = folder_listing(project.root.parent)
    return {key: value for key, value in beside.items() if not key.startswith("project/")}


def _refused(project: Project, *args: str, codes: tuple[int, ...]) -> None:
    """It fails, says why in one error, and writes nothing beside the project."""
    before = _around(project)
    _clear(project.mlx(*args), "hostile", codes=codes)
    assert _around(project) == before, "it wrote where it should not"


@pytest.mark.parametrize("name", sampled([*LISTS, *TEXTS], 6))
def test_a_hostile_list(name: str, filled: Project, store: Path, tmp_path: Path) -> None:
    """Its digest fits: from a remote and from the cache nothing of it is done."""
    text = _text(name, tmp_path)
    listed = _put(store, text, ".dir")
    _track(filled, listed, "hostile")
    expected = _cached(filled)
    _wipe(filled)
    _refused(filled, "pull", codes=(FAILED, REMOTE))
    assert not (filled.root / "hostile").exists()
    _rest_is_here(filled, {**expected, key_of(listed): md5(text)}, set())
    assert (filled.root / "data/0/0.bin").exists() and (filled.root / "big.bin").exists()

    _put(filled.root / ".dvc/cache", text, ".dir")
    _refused(filled, "checkout", "--force", codes=(FAILED,))
    assert not (filled.root / "hostile").exists()


ENTRIES: dict[str, Callable[[Path], object]] = {
    "no text": lambda path: path.write_bytes(b"\0\xff"),
    "nothing": lambda path: path.write_bytes(b""),
    "another shape": lambda path: path.write_bytes(b"- cmd\n"),
    "contains itself": lambda path: path.write_bytes(b"&a {cmd: *a}\n"),
    "a python object": lambda path: path.write_bytes(
        b"cmd: !!python/object/apply:os.system [touch ../escape]\n"
    ),
    "nested deeply": lambda path: path.write_bytes(b"cmd: " + b"[" * 100_000),
    "a pipe": os.mkfifo,
    "a folder": _as_folder,
    "a link to nothing": _as_link_to_nothing,
    "a link to other bytes": _as_link_to_other_bytes,
}


def test_hostile_entries_of_the_run_cache(filled: Project, store: Path) -> None:
    """None gets into the cache, and the data arrives."""
    before = filled.snapshot()
    for number, write in enumerate(ENTRIES.values()):
        path = store / "runs" / "ab" / f"ab{number:062x}" / f"{number:064x}"
        path.parent.mkdir(parents=True)
        write(path)
    (store / "runs" / "note").write_text("cmd: true\n")
    around = _around(filled)
    _wipe(filled)
    result = filled.mlx("pull", "--run-cache")
    assert result.code in (0, FAILED, REMOTE) and "Traceback" not in result.stderr, str(result)
    assert _around(filled) == around
    assert_alike(filled.snapshot(), before)
    filled.mlx("status", "--check").ok()


PLACES = {
    "above": ("../outside/x", ()),
    "absolute": ("(outside)/x", ()),
    "in and out": ("data/../../outside/x", ()),
    "through a link": ("link/x", ()),
    "through a link further down": ("data/link/x", ()),
    "from a folder above": ("x", ("wdir: ../outside",)),
    "from a linked folder": ("x", ("wdir: link",)),
    "a folder above": ("../outside", ()),
    "in Git's own folder": (".git/hooks/post-checkout", ()),
    "in dvc's own folder": (".dvc/config", ()),
}


@pytest.mark.parametrize("place", sampled(PLACES, 2))
def test_a_path_that_leads_out(place: str, filled: Project, store: Path, tmp_path: Path) -> None:
    """Data belongs into the project: nothing else is written to, not even with force."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("mine\n")
    for link in ("link", "data/link"):
        (filled.root / link).symlink_to(outside)
    path, more = PLACES[place]
    _track(filled, GOOD, path.replace("(outside)", str(outside)), *more)
    config = filled.read(".dvc/config")
    for args in (("checkout", "--force"), ("pull", "--force"), ("checkout", "-f", "hostile.dvc")):
        _refused(filled, *args, codes=(FAILED, PROJECT, REMOTE))
    assert filled.read(".dvc/config") == config
    assert not (filled.root / ".git/hooks/post-checkout").exists()


def test_a_link_in_the_way_of_data(filled: Project, store: Path, tmp_path: Path) -> None:
    """A folder of tracked data was replaced by a link: what it leads to is not data."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "0.bin").write_text("mine\n")
    filled.sh("rm -rf data/0 && ln -s ../../outside data/0")
    before = _around(filled)
    for verb in ("checkout", "pull"):
        for more in ((), ("--force",)):
            result = filled.mlx(verb, *more)
            assert "Traceback" not in result.stderr, str(result)
            assert _around(filled) == before, str(result)

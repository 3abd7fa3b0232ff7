"""Single objects on their way: what is tried again, in which order, and what is remembered."""

import hashlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from mlxkit.core.errors import RemoteError
from mlxkit.core.progress import SILENT, NoProgress
from mlxkit.data.transfer.fetch import fetch, missing
from mlxkit.data.transfer.items import Item, Wanted
from mlxkit.data.transfer.network import NetworkRemote, Patience
from mlxkit.data.transfer.push import push
from mlxkit.store.errors import DiskFull
from mlxkit.store.objects import ObjectStore
from mlxkit.store.state import State
from mlxkit.store.tree import tree_bytes
from mlxkit.tools.dvc_remote import TooLong


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


class FakeServer:
    """Objects in memory; `trouble` may raise before anything is done."""

    jobs = 4
    run_cache = True

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.trouble: Callable[[str, str], None] = lambda what, name: None
        self.asked: list[tuple[str, str]] = []
        self.stopped = threading.Event()

    def stop(self) -> None:
        self.stopped.set()

    def note(self, what: str, name: str = "") -> None:
        self.asked.append((what, name))
        self.trouble(what, name)

    def reach(self) -> None:
        self.note("reach")

    def find(self, md5s: Iterable[str]) -> set[str]:
        self.note("find")
        return set(md5s) & self.objects.keys()

    def ask(self, md5s: Iterable[str]) -> set[str]:
        self.note("ask")
        return set(md5s) & self.objects.keys()

    def prepare(self, prefixes: Iterable[str]) -> None:
        self.note("prepare")

    def get(self, name: str, target: str, limit: int) -> None:
        self.note("get", name)
        if name not in self.objects:
            raise FileNotFoundError(name)
        data = self.objects[name]
        Path(target).write_bytes(data[: limit + 1])
        if len(data) > limit:
            raise TooLong

    def put(self, source: str, name: str, temporary: str) -> None:
        self.note("put", name)
        self.objects[name] = Path(source).read_bytes()

    def names(self, what: str) -> list[str]:
        return [name for asked, name in self.asked if asked == what]


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(str(tmp_path / "cache"), state=State(str(tmp_path / "state")))


class Pauses(list[float]):
    """Notes how long would have been waited."""


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def remote(server: FakeServer, tmp_path: Path, pauses: Pauses) -> NetworkRemote:
    patience = Patience((0.5, 2.0), pauses.append)
    memory = str(tmp_path / "memory" / "one.json")
    return NetworkRemote("far", server, memory, None, patience)  # type: ignore[arg-type]


def put(store: ObjectStore, data: bytes, suffix: str = "") -> str:
    name = md5(data) + suffix
    store.ingest().data(data, store.path(name), name)
    return name


def folder(store: ObjectStore, files: dict[str, bytes]) -> Wanted:
    entries = sorted((path, put(store, data)) for path, data in files.items())
    return Wanted("/w/folder", put(store, tree_bytes(entries), ".dir"))


def refuse(times: int, error: Exception, what: str) -> Callable[[str, str], None]:
    left = [times]

    def trouble(asked: str, name: str) -> None:
        if asked == what and left[0]:
            left[0] -= 1
            raise error

    return trouble


def test_a_folder_goes_after_its_files(
    store: ObjectStore, server: FakeServer, remote: NetworkRemote
) -> None:
    wanted = folder(store, {"a": b"1", "b/c": b"2"})
    assert push(store, [wanted], remote, SILENT).files == 3
    assert server.names("put")[-1] == wanted.md5
    server.asked.clear()
    assert push(store, [wanted], remote, SILENT).files == 0
    assert [what for what, _ in server.asked] == ["ask"], "what is remembered is not asked again"


def test_what_is_remembered_ends_with_the_object_of_the_folder(
    store: ObjectStore, server: FakeServer, remote: NetworkRemote
) -> None:
    wanted = folder(store, {"a": b"1"})
    push(store, [wanted], remote, SILENT)
    server.objects.clear()
    assert push(store, [wanted], remote, SILENT).files == 2


def test_a_part_is_not_remembered_as_the_whole(
    store: ObjectStore, server: FakeServer, remote: NetworkRemote
) -> None:
    wanted = folder(store, {"a": b"1", "b": b"2"})
    push(store, [wanted._replace(within="a")], remote, SILENT)
    assert server.objects.keys() == {md5(b"1"), wanted.md5}
    assert push(store, [wanted], remote, SILENT).files == 1
    assert md5(b"2") in server.objects


def test_it_is_tried_again(
    store: ObjectStore, server: FakeServer, remote: NetworkRemote, pauses: Pauses
) -> None:
    server.trouble = refuse(2, TimeoutError("slow"), "put")
    wanted = [Wanted("/w/a", put(store, b"1"))]
    assert push(store, wanted, remote, SILENT).files == 1
    assert pauses == [0.5, 2.0]


def test_then_it_has_failed_and_the_rest_goes_on(
    store: ObjectStore, server: FakeServer, remote: NetworkRemote, pauses: Pauses
) -> None:
    bad = put(store, b"bad")

    def trouble(asked: str, name: str) -> None:
        if asked == "put" and name == bad:
            raise ConnectionResetError("reset")

    server.trouble = trouble
    wanted = folder(store, {"bad": b"bad", "good": b"good"})
    done = push(store, [wanted, Wanted("/w/other", put(store, b"other"))], remote, SILENT)
    assert done.files == 2 and len(pauses) == 2
    assert wanted.md5 not in server.objects
    assert {name.rpartition("/")[2]: why.why for name, why in done.failed.items()} == {
        "bad": "reset",
        "folder": "not all of its files were sent",
    }


def test_no_permission_is_not_tried_again(
    store: ObjectStore, server: FakeServer, remote: NetworkRemote, pauses: Pauses
) -> None:
    server.trouble = refuse(99, PermissionError("no"), "put")
    done = push(store, [Wanted("/w/a", put(store, b"1"))], remote, SILENT)
    assert done.files == 0 and pauses == []


def test_a_server_that_died_is_not_asked_for_everything(
    store: ObjectStore, server: FakeServer, remote: NetworkRemote
) -> None:
    server.trouble = refuse(10**6, ConnectionRefusedError("gone"), "put")
    wanted = folder(store, {str(number): b"%d" % number for number in range(200)})
    done = push(store, [wanted], remote, SILENT)
    assert len(done.failed) == 201
    assert len(server.names("put")) < 100


def test_a_server_that_cannot_be_reached(
    store: ObjectStore, server: FakeServer, remote: NetworkRemote, pauses: Pauses
) -> None:
    server.trouble = refuse(99, OSError("no route"), "find")
    with pytest.raises(RemoteError, match="remote 'far': no route"):
        push(store, [Wanted("/w/a", put(store, b"1"))], remote, SILENT)
    assert len(pauses) == 2


def sent(store: ObjectStore, server: FakeServer, files: dict[str, bytes]) -> Wanted:
    """A folder on the server."""
    entries = sorted((path, md5(data)) for path, data in files.items())
    data = tree_bytes(entries)
    server.objects |= {md5(content): content for content in files.values()}
    server.objects[md5(data) + ".dir"] = data
    return Wanted("/w/folder", md5(data) + ".dir", sum(map(len, files.values())), len(files))


def test_fetch(store: ObjectStore, server: FakeServer, remote: NetworkRemote) -> None:
    wanted = sent(store, server, {"a": b"1", "b": b"2"})
    done = fetch(store, missing(store, [wanted]), remote, None, SILENT)
    assert (done.files, done.failed) == (3, {})
    assert store.whole(wanted.md5)
    assert not missing(store, [wanted])


def test_wrong_bytes_are_asked_for_again(
    store: ObjectStore, server: FakeServer, remote: NetworkRemote, pauses: Pauses
) -> None:
    wanted = sent(store, server, {"a": b"1", "b": b"2"})
    server.objects[md5(b"1")] = b"x"

    def heal(seconds: float) -> None:
        pauses.append(seconds)
        server.objects[md5(b"1")] = b"1"

    remote._patience = Patience((0.5,), heal)
    done = fetch(store, missing(store, [wanted]), remote, None, SILENT)
    assert (done.files, done.failed, pauses) == (3, {}, [0.5])


def test_longer_than_it_can_be(
    store: ObjectStore, server: FakeServer, remote: NetworkRemote, tmp_path: Path
) -> None:
    wanted = sent(store, server, {"a": b"1"})
    server.objects[md5(b"1")] = b"1" * (3 << 20)
    done = fetch(store, missing(store, [wanted]), remote, None, SILENT)
    (failure,) = done.failed.values()
    assert failure.why == "it is longer than it can be"
    assert [path for path in tmp_path.rglob("*") if path.name.endswith(".tmp")] == []


def test_no_room_ends_it_all(store: ObjectStore, server: FakeServer, remote: NetworkRemote) -> None:
    wanted = sent(store, server, {"a": b"1"})
    server.trouble = _full
    with pytest.raises(DiskFull, match="no room left"):
        fetch(store, missing(store, [wanted]), remote, None, SILENT)


def _full(what: str, name: str) -> None:
    if what == "get" and not name.endswith(".dir"):
        raise OSError(28, "No space left on device")


class CtrlC(NoProgress):
    """Interrupts as soon as something has arrived."""

    def advance(self, files: int = 1, size: int = 0) -> None:
        raise KeyboardInterrupt


def test_ctrl_c_ends_what_is_on_its_way(
    store: ObjectStore, server: FakeServer, remote: NetworkRemote
) -> None:
    """Others have begun: they end by themselves, are not tried again, and leave nothing."""
    contents = [b"%d" % number for number in range(20)]
    server.objects = {md5(data): data for data in contents}
    first, *others = server.objects
    real = server.get
    begun = threading.Event()

    def get(name: str, target: str, limit: int) -> None:
        if name == first:
            begun.wait()
        else:
            Path(target).write_bytes(b"half")
            begun.set()
            server.stopped.wait()
            raise ConnectionError
        real(name, target, limit)

    server.get = get  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        remote.receive(store.root, [Item(name) for name in [first, *others]], CtrlC())
    assert [path.name for path in Path(store.root).rglob("*") if path.is_file()] == [first[2:]]
    assert not [one.name for one in threading.enumerate() if "ThreadPool" in one.name]


def test_a_miss_ends_what_was_remembered(
    store: ObjectStore, server: FakeServer, remote: NetworkRemote
) -> None:
    wanted = sent(store, server, {"a": b"1"})
    remote.remember([wanted.md5])
    del server.objects[md5(b"1")]
    fetch(store, missing(store, [wanted]), remote, None, SILENT)
    assert remote.complete({wanted.md5}) == set()


def test_receive_checks_each_object(
    server: FakeServer, remote: NetworkRemote, tmp_path: Path
) -> None:
    server.objects = {md5(b"1"): b"1", md5(b"2"): b"x"}
    items = [Item(md5(b"1")), Item(md5(b"2")), Item(md5(b"3"))]
    done = remote.receive(str(tmp_path / "cache"), items, SILENT)
    assert (done.files, done.size, set(done.failed)) == (1, 1, {md5(b"2"), md5(b"3")})
    (kept,) = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept.stat().st_mode == 0o100444

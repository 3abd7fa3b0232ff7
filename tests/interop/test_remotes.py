"""One tool sends, the other one gets: real servers, the same keys, the same bytes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.support.project import Project
from tests.support.remote import OBJECT, Remote, digest_of, key_of, md5, new_name
from tests.support.serve_sftp import SftpServer
from tests.support.snapshot import Snapshot, assert_alike
from tests.support.tools import Tools

if TYPE_CHECKING:
    from tests.support.servers import Servers  # a plugin: pytest imports it

pytest_plugins = ["tests.support.servers"]

KINDS = ("s3", "ssh", "webdav", "http")
WITH_RUN_CACHE = ("s3", "ssh", "webdav")
OUTS = {"data", "table.csv", "tool.sh", "upper.csv"}


def _files(count: int) -> Iterator[tuple[str, bytes, int]]:
    """Files in a tree: strange names, an empty one, a big one, an executable, one twice."""
    for number in range(count):
        path = f"{'abc'[number % 3]}/{number % 7}/{number:03}.txt"
        yield path, f"file {number}\n".encode() * (number % 50 + 1), 0o644
    yield "big.bin", b"".join(number.to_bytes(4, "big") for number in range(3 << 18)), 0o644
    yield "empty", b"", 0o644
    yield "tiny", b"x", 0o644
    yield "run.sh", b"#!/bin/sh\n", 0o755
    yield "größe/日本 語.txt", b"unicode\n", 0o644
    yield "größe/#100%?&+=;'.txt", b"odd\n", 0o644
    yield "größe/n\u0303.txt", b"decomposed\n", 0o644
    yield "copy/of.txt", b"file 0\n", 0o644


def _with_data(template: Path, folder: Path, tools: Tools, count: int) -> Path:
    """A folder of files, two files and a stage that has run, as a checkout leaves them."""
    project = Project.copy(template, folder / "project", tools)
    for path, content, mode in _files(count):
        project.write(f"data/{path}", content, mode)
    project.write("table.csv", "a,b\n1,2\n")
    project.write("tool.sh", "#!/bin/sh\nexit 0\n", 0o755)
    project.dvc("add", "-q", "data", "table.csv", "tool.sh").ok()
    stage = {"cmd": "tr a-z A-Z < table.csv > upper.csv", "deps": ["table.csv"]}
    project.pipeline({"upper": {**stage, "outs": ["upper.csv"]}})
    project.dvc("repro", "-q").ok()
    tools.commit(project.root, "data")
    project.sh("rm -rf data table.csv tool.sh upper.csv")
    project.dvc("checkout", "-q").ok()
    return project.root


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """A kind of server."""
    return str(request.param)


@pytest.fixture(scope="session")
def many_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with some two hundred files; copied, never changed."""
    return _with_data(template, tmp_path_factory.mktemp("many"), tools, 195)


@pytest.fixture(scope="session")
def few_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with some files; copied, never changed."""
    return _with_data(template, tmp_path_factory.mktemp("few"), tools, 20)


@pytest.fixture(scope="session")
def source(kind: str, request: pytest.FixtureRequest) -> Path:
    """The project to send: to WebDAV, dvc's time grows with the square of the objects."""
    return Path(request.getfixturevalue("few_once" if kind == "webdav" else "many_once"))


@pytest.fixture
def few(few_once: Path, tools: Tools, tmp_path: Path) -> Project:
    """A copy of the project with some files."""
    return Project.copy(few_once, tmp_path / "few", tools)


@pytest.fixture
def project(source: Path, tools: Tools, tmp_path: Path) -> Project:
    """A copy of the project to send."""
    return Project.copy(source, tmp_path / "project", tools)


@pytest.fixture(scope="session")
def sent(
    kind: str,
    source: Path,
    servers: "Servers",
    tools: Tools,
    tmp_path_factory: pytest.TempPathFactory,
) -> Remote:
    """A remote that dvc has sent everything to; only read from."""
    remote = servers.remote(kind)
    project = Project.copy(source, tmp_path_factory.mktemp("sent") / "project", tools)
    remote.add_to(project)
    project.dvc("push", "-q").ok()
    return remote


def _wipe(project: Project) -> None:
    project.sh("rm -rf data table.csv tool.sh upper.csv .dvc/cache")


def _cached(project: Project) -> dict[str, str]:
    """The objects of the cache, as a remote should have them."""
    return {key: digest_of(key)[:32] for key in project.snapshot().cache}


def test_mlx_sends_and_dvc_gets(kind: str, project: Project, servers: "Servers") -> None:
    remote = servers.remote(kind)
    remote.add_to(project)
    before = project.snapshot()
    project.mlx("push").ok()
    assert remote.listing() == _cached(project)

    so_far = len(remote.asked)
    project.mlx("push").ok()
    assert remote.keys("write", so_far) == [], "nothing is sent twice"

    _wipe(project)
    project.dvc("pull", "-q").ok()
    assert_alike(_without_runs(project.snapshot()), _without_runs(before))


def test_dvc_sends_and_mlx_gets(sent: Remote, project: Project) -> None:
    sent.add_to(project)
    before = project.snapshot()
    so_far = len(sent.asked)
    project.mlx("push").ok()
    assert sent.keys("write", so_far) == [], "dvc has sent it all"

    _wipe(project)
    project.mlx("pull").ok()
    assert_alike(_without_runs(project.snapshot()), _without_runs(before))
    assert sent.listing() == _cached(project)
    assert project.dvc("status", "--json").ok().json == {}

    so_far = len(sent.asked)
    project.mlx("pull").ok()
    assert sent.asked[so_far:] == [], "all is here: nobody needs to be asked"


def _without_runs(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, runs={})


@pytest.mark.parametrize("target", ["data/a/0/000.txt", "data/größe"])
def test_a_part_is_all_that_is_fetched(target: str, sent: Remote, project: Project) -> None:
    sent.add_to(project)
    wanted = _objects_of(project, target)
    _wipe(project)
    so_far = len(sent.asked)
    project.mlx("fetch", target).ok()
    assert set(_cached(project)) == wanted
    assert {key for key in sent.keys("read", so_far) if OBJECT.fullmatch(key)} == wanted


def _objects_of(project: Project, target: str) -> set[str]:
    """The keys of a target's files, and of the folder's list that names them."""
    path = project.root / target
    files = path.rglob("*") if path.is_dir() else [path]
    wanted = {key_of(md5(file.read_bytes())) for file in files}
    if target.startswith("data/"):
        (entry,) = yaml.safe_load(project.read("data.dvc"))["outs"]
        wanted.add(key_of(entry["md5"]))
    return wanted


@pytest.mark.parametrize("kind", WITH_RUN_CACHE, scope="session")
def test_run_cache(kind: str, few: Project, servers: "Servers") -> None:
    theirs, ours = few, few.twin("twin")
    by_dvc, by_mlx = servers.remote(kind), servers.remote(kind)
    by_dvc.add_to(theirs)
    by_mlx.add_to(ours)
    to_dvc, to_mlx = theirs.snapshot(), ours.snapshot()
    assert to_dvc.runs
    theirs.dvc("push", "-q", "--run-cache").ok()
    ours.mlx("push", "--run-cache").ok()
    assert by_mlx.listing() == by_dvc.listing()
    assert {f"runs/{path}" for path in to_dvc.runs} <= by_mlx.listing().keys()

    _wipe(theirs)
    theirs.mlx("pull", "--run-cache").ok()
    assert_alike(theirs.snapshot(), to_dvc)
    _wipe(ours)
    ours.dvc("pull", "-q", "--run-cache").ok()
    assert_alike(ours.snapshot(), to_mlx)


@pytest.mark.parametrize("kind", ["http"], scope="session")
def test_run_cache_where_nobody_can_list(kind: str, few: Project, servers: "Servers") -> None:
    """dvc leaves the run-cache out; the data still goes."""
    remote = servers.remote(kind)
    remote.add_to(few)
    before = few.snapshot()
    assert "run-cache" in few.mlx("push", "--run-cache").ok().stderr, "it is said"
    assert remote.listing() == _cached(few)
    _wipe(few)
    few.mlx("pull", "--run-cache").ok()
    assert_alike(few.snapshot(), _without_runs(before))


@pytest.mark.parametrize("kind", ["ssh"], scope="session")
def test_login_with_a_key(kind: str, few: Project, servers: "Servers") -> None:
    server = servers.get(kind)
    assert isinstance(server, SftpServer)
    remote = server.remote(new_name(), secrets={"keyfile": str(server.key)})
    remote.add_to(few)
    few.mlx("push").ok()
    assert remote.listing() == _cached(few)


@pytest.mark.parametrize("kind", ["http"], scope="session")
def test_counts(kind: str, few: Project, servers: "Servers") -> None:
    """Every object counts as one file, the list of a folder, too."""
    servers.remote(kind).add_to(few)
    count = len(_cached(few))
    assert few.mlx("push", "--json").ok().json == {"pushed": count, "failed": []}
    assert few.mlx("push", "--json").ok().json == {"pushed": 0, "failed": []}
    _wipe(few)
    assert few.mlx("fetch", "--json").ok().json == {"fetched": count, "failed": []}
    answer = few.mlx("pull", "--json").ok().json
    assert {path.rstrip("/") for path in answer.pop("added")} == OUTS
    assert answer == {"fetched": 0, "modified": [], "deleted": [], "failed": []}

"""Ctrl-C in the midst of a data command: a word, exit 130, nothing left, the next run completes."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.support.cached import OBJECTS, files_below, temporary_files, whole_objects
from tests.support.commands import Result
from tests.support.long import sampled
from tests.support.many import COUNT, add_store, laid_out, reach
from tests.support.processes import Running, project_lock, wait_for
from tests.support.project import Project
from tests.support.proxy import Proxy
from tests.support.remote import digest_of, new_name
from tests.support.tools import Tools

if TYPE_CHECKING:
    from tests.support.servers import Servers  # a plugin: pytest imports it

if TYPE_CHECKING:
    pass  # a plugin: pytest imports it

pytest_plugins = ["tests.support.servers"]

ROUNDS = 12
VERBS = ("push", "pull")
AT_SERVERS = [(kind, verb, one) for kind in ("ssh", "s3") for verb in VERBS for one in range(4)]
STALLED = [(kind, verb) for kind in ("ssh", "s3", "webdav", "http") for verb in VERBS]


class Case(NamedTuple):
    """A command, what is to be counted to tell how far it has got, and up to how many."""

    args: tuple[str, ...]
    progress: Callable[[Project], int]
    most: int


def _cached(project: Project) -> int:
    return files_below(project.root / OBJECTS)


def _stored(project: Project) -> int:
    return files_below(project.root.parent / "store")


CASES = {
    "add": Case(("add", "data"), _cached, COUNT),
    "checkout": Case(("checkout",), laid_out, COUNT),
    "push": Case(("push",), _stored, COUNT),
    "pull": Case(("pull",), lambda project: _cached(project) + laid_out(project), 2 * COUNT),
}


@pytest.fixture
def before(
    verb: str,
    many: Project,
    many_added: Project,
    many_pushed: Project,
    tmp_path: Path,
    tools: Tools,
) -> Project:
    """A project in which there is everything to do."""
    source = {"add": many, "pull": many_pushed}.get(verb, many_added)
    project = Project.copy(source.root, tmp_path / "p", tools)
    if verb == "checkout":
        shutil.rmtree(project.root / "data")
    if verb == "push":
        add_store(project, tmp_path / "store")
    return project


def _stopped(running: Running, *, again: bool = False) -> Result:
    """Press Ctrl-C; what it said. It may have come to its end just before."""
    running.interrupt()
    if again and not running.ends_within(0.02):
        running.interrupt()
    result = running.finish(timeout=60)
    if result.code:
        assert result.code == 130, str(result)
        assert (result.stdout, result.stderr) == ("", "error: interrupted\n"), str(result)
    wait_for(lambda: not running.left(), "its processes ended", 20)
    return result


@pytest.mark.parametrize(
    ("verb", "number"), sampled(((verb, one) for one in range(ROUNDS) for verb in CASES), 13)
)
def test_interrupted(
    verb: str, number: int, before: Project, many_added: Project, many_objects: set[str]
) -> None:
    case = CASES[verb]
    running = Running.mlx(before, *case.args)
    reach(running, lambda: case.progress(before), random.Random(number).randint(1, case.most))
    _stopped(running, again=number % 2 > 0)
    store = before.root.parent / "store"
    assert temporary_files(before.root, store) == []
    for place in (before.root / OBJECTS, store / "files/md5"):
        assert whole_objects(place) <= many_objects

    before.mlx(*case.args, "--wait", "0").ok()
    assert whole_objects(before.root / OBJECTS) == many_objects
    if verb == "push":
        assert whole_objects(store / "files/md5") == many_objects
    assert before.read("data.dvc") == many_added.read("data.dvc")
    assert before.dvc("status", "--json").ok().json == {}
    assert laid_out(before) == COUNT


def test_as_json(many_added: Project, tmp_path: Path, tools: Tools) -> None:
    """A program that waits for a document gets one."""
    project = Project.copy(many_added.root, tmp_path / "p", tools)
    with project_lock(project):
        running = Running.mlx(project, "checkout", "--json", "--wait", "600")
        running.says("waiting for another process")
        running.interrupt()
        result = running.finish(timeout=60)
    assert result.code == 130 and result.json["error"]["code"] == "interrupted", str(result)


@pytest.mark.parametrize(("kind", "verb", "number"), sampled(AT_SERVERS, 16))
def test_interrupted_at_a_server(
    kind: str,
    verb: str,
    number: int,
    few: Project,
    tmp_path: Path,
    tools: Tools,
    servers: "Servers",
) -> None:
    project = Project.copy(few.root, tmp_path / "p", tools)
    remote = servers.remote(kind)
    remote.add_to(project)
    expected = {key: digest_of(key)[:32] for key in project.snapshot().cache}
    if verb == "pull":
        project.mlx("push").ok()
        project.sh("rm -rf data big .dvc/cache")
    since, what = len(remote.asked), "write" if verb == "push" else "read"
    running = Running.mlx(project, verb)
    least = random.Random(number).randint(1, len(expected))
    reach(running, lambda: len(remote.keys(what, since)), least)
    _stopped(running)
    assert temporary_files(project.root) == []
    assert [key for key in remote.listing() if ".mlx-" in key] == []
    assert remote.wrong() == []
    whole_objects(project.root / OBJECTS)
    project.mlx(verb, "--wait", "0").ok()
    assert remote.objects() == expected
    assert project.dvc("status", "--json", "--cloud").ok().json == {}


@pytest.mark.parametrize(("kind", "verb"), sampled(STALLED, 8))
def test_a_server_that_says_nothing_more(
    kind: str,
    verb: str,
    few: Project,
    tmp_path: Path,
    tools: Tools,
    servers: "Servers",
    proxy_to: Callable[[str], Proxy],
) -> None:
    """Nobody has to wait for it."""
    project = Project.copy(few.root, tmp_path / "p", tools)
    proxy, name = proxy_to(kind), new_name()
    direct = servers.get(kind).remote(name)
    direct.add_to(project)
    if verb == "pull":
        project.mlx("push").ok()
        project.sh("rm -rf data big .dvc/cache")
    before = direct.objects()
    servers.get(kind).remote(name, proxy.port).add_to(project)
    proxy.stall("up" if verb == "push" else "down", 500_000)
    running = Running.mlx(project, verb)
    wait_for(proxy.stalled.is_set, "the server fell silent")
    _stopped(running)
    assert temporary_files(project.root) == []
    whole_objects(project.root / OBJECTS)
    assert direct.wrong() == [] and direct.objects().items() >= before.items()
    direct.add_to(project)
    project.mlx(verb, "--wait", "0").ok()

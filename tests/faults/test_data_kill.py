"""SIGKILL at any moment of a data command: nothing is lost or wrong, the next run completes."""

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.cached import OBJECTS, files_below, whole_objects
from tests.support.long import sampled
from tests.support.many import COUNT, FILES, add_store, laid_out, reach
from tests.support.processes import Running, wait_for
from tests.support.project import Project
from tests.support.remote import Remote, digest_of
from tests.support.snapshot import Entry, assert_alike
from tests.support.tools import Tools

if TYPE_CHECKING:
    from tests.support.servers import Servers  # a plugin: pytest imports it

pytest_plugins = ["tests.support.servers"]

ROUNDS = 10
KILLS = 5  # in each round, then it must complete: 50 of each command
AT_SERVERS = [(kind, number) for kind in ("ssh", "s3") for number in range(8)]


class Killer:
    """Kills commands, each at a moment of its own."""

    def __init__(self, number: int) -> None:
        self._chance = random.Random(number)
        self._whole_tree = number % 2 == 0

    def kill(
        self,
        project: Project,
        args: tuple[str, ...],
        progress: Callable[[], int],
        step: int = COUNT // 3,
    ) -> None:
        """Begin a command, and kill it within a `step` of its progress; nothing of it stays."""
        running = Running.mlx(project, *args)
        reach(running, progress, self._chance.randint(0, progress() + step))
        running.ends_within(self._chance.uniform(0, 0.02))  # then at any moment
        running.kill(whole_tree=self._whole_tree)
        wait_for(lambda: not running.left(), "its processes ended", 20)
        project.mlx("status").ok()


def _data(project: Project) -> dict[str, Entry]:
    """What is tracked, and its `.dvc` file."""
    found = project.snapshot().workspace
    return {path: entry for path, entry in found.items() if path.startswith("data")}


def _clean_for_dvc(project: Project, *args: str) -> None:
    assert project.dvc("status", "--json", *args).ok().json == {}


@pytest.mark.parametrize("number", sampled(range(ROUNDS), 5))
def test_add(number: int, many: Project, many_added: Project, tmp_path: Path, tools: Tools) -> None:
    killer = Killer(number)
    project = Project.copy(many.root, tmp_path / "p", tools)
    for _ in range(KILLS):
        killer.kill(project, ("add", "data"), lambda: files_below(project.root / OBJECTS))
        whole_objects(project.root / OBJECTS)
    project.mlx("add", "data").ok()
    assert project.read("data.dvc") == many_added.read("data.dvc")
    assert project.mlx("status", "--json").json["clean"]
    shutil.rmtree(project.root / "data")
    project.mlx("checkout").ok()
    assert project.snapshot().workspace == many_added.snapshot().workspace


@pytest.mark.parametrize("number", sampled(range(ROUNDS), 5))
def test_checkout(number: int, many_added: Project, tmp_path: Path, tools: Tools) -> None:
    killer = Killer(number)
    project = Project.copy(many_added.root, tmp_path / "p", tools)
    if number % 3:
        shutil.rmtree(project.root / "data")
    else:  # some files only: changed in place
        for kept in range(0, FILES, 3):
            (project.root / f"data/{kept % 9}/{kept}").unlink()
    for _ in range(KILLS):
        killer.kill(project, ("checkout",), lambda: laid_out(project))
    project.mlx("checkout").ok()
    after = project.snapshot()
    assert after.workspace == many_added.snapshot().workspace
    assert after.litter == many_added.snapshot().litter


@pytest.mark.parametrize("number", sampled(range(ROUNDS), 5))
def test_push(
    number: int, many_added: Project, many_objects: set[str], tmp_path: Path, tools: Tools
) -> None:
    killer = Killer(number)
    project = Project.copy(many_added.root, tmp_path / "p", tools)
    store = add_store(project, tmp_path / "store")
    before = project.snapshot()
    for _ in range(KILLS):
        killer.kill(project, ("push",), lambda: files_below(store))
        whole_objects(store)
    project.mlx("push").ok()
    assert whole_objects(store) == many_objects
    assert_alike(project.snapshot(), before)
    _clean_for_dvc(project, "--cloud")


@pytest.mark.parametrize("number", sampled(range(ROUNDS), 5))
def test_pull(
    number: int,
    many_pushed: Project,
    many_added: Project,
    many_objects: set[str],
    tmp_path: Path,
    tools: Tools,
) -> None:
    killer = Killer(number)
    project = Project.copy(many_pushed.root, tmp_path / "p", tools)
    cache = project.root / OBJECTS
    for _ in range(KILLS):
        killer.kill(project, ("pull",), lambda: files_below(cache) + laid_out(project))
        whole_objects(cache)
    project.mlx("pull").ok()
    assert whole_objects(cache) == many_objects
    assert whole_objects(many_pushed.root.parent / "store/files/md5") == many_objects
    assert _data(project) == _data(many_added)
    _clean_for_dvc(project)
    _clean_for_dvc(project, "--cloud")


@pytest.mark.parametrize(("kind", "number"), sampled(AT_SERVERS, len(AT_SERVERS)))
def test_push_and_pull_at_a_server(
    kind: str, number: int, few: Project, tmp_path: Path, tools: Tools, servers: "Servers"
) -> None:
    killer = Killer(number)
    project = Project.copy(few.root, tmp_path / "p", tools)
    remote = servers.remote(kind)
    remote.add_to(project)
    before = project.snapshot()
    killer.kill(project, ("push",), _asked(remote, "write"), COUNT)
    assert remote.wrong() == []
    project.mlx("push").ok()
    assert remote.objects() == {key: digest_of(key)[:32] for key in before.cache}
    _clean_for_dvc(project, "--cloud")

    project.sh("rm -rf data big .dvc/cache")
    killer.kill(project, ("pull",), _asked(remote, "read"), COUNT)
    whole_objects(project.root / OBJECTS)
    project.mlx("pull").ok()
    # What was on its way when it was killed harms nobody, and goes with the next `gc`.
    assert_alike(replace(project.snapshot(), litter={}), before)
    _clean_for_dvc(project)


def _asked(remote: Remote, what: str) -> Callable[[], int]:
    """How far a transfer is, on the scale of `COUNT`."""
    since = len(remote.asked)
    return lambda: len(remote.keys(what, since)) * COUNT // 40

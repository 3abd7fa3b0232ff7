"""SIGKILL at any moment of `add` and `checkout`: nothing is lost, the next run completes."""

import hashlib
import random
import shutil
from pathlib import Path

import pytest
from tests.support.long import sampled
from tests.support.processes import Running
from tests.support.project import Project
from tests.support.tools import Tools

FILES = 2400  # enough for several processes
ROUNDS = 25


@pytest.fixture(scope="module")
def source(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.copy(template, tmp_path_factory.mktemp("kill") / "source", tools)
    for number in range(FILES):
        project.write(f"data/{number % 9}/{number}", f"{number}\n" * 50)
    return project


@pytest.fixture(scope="module")
def added(source: Project) -> Project:
    project = source.twin("added")
    project.mlx("add", "data").ok()
    return project


def _check_objects(project: Project) -> None:
    """Every object has the bytes that its name says; a directory's object lists what is there."""
    cache = project.root / ".dvc" / "cache" / "files" / "md5"
    for path in cache.glob("??/*"):
        name = path.parent.name + path.name
        assert hashlib.md5(path.read_bytes()).hexdigest() == name.removesuffix(".dir")


@pytest.mark.parametrize("number", sampled(range(ROUNDS), 5))
def test_add(number: int, source: Project, added: Project, tmp_path: Path, tools: Tools) -> None:
    chance = random.Random(number)
    project = Project.copy(source.root, tmp_path / "p", tools)
    for _ in range(2):
        running = Running.mlx(project, "add", "data")
        running.ends_within(chance.uniform(0.05, 0.6))
        running.kill(whole_tree=number % 2 == 0)
        _check_objects(project)
        project.mlx("status").ok()
    project.mlx("add", "data").ok()
    assert project.read("data.dvc") == added.read("data.dvc")
    assert project.mlx("status", "--json").json["clean"]
    shutil.rmtree(project.root / "data")
    project.mlx("checkout").ok()
    assert project.snapshot().workspace == added.snapshot().workspace


@pytest.mark.parametrize("number", sampled(range(ROUNDS), 5))
def test_checkout(number: int, added: Project, tmp_path: Path, tools: Tools) -> None:
    chance = random.Random(number)
    project = Project.copy(added.root, tmp_path / "p", tools)
    if number % 3:
        shutil.rmtree(project.root / "data")
    else:  # some files only: changed in place
        for kept in range(0, FILES, 3):
            (project.root / f"data/{kept % 9}/{kept}").unlink()
    for _ in range(2):
        running = Running.mlx(project, "checkout")
        running.ends_within(chance.uniform(0.05, 0.6))
        running.kill(whole_tree=number % 2 == 0)
        project.mlx("status").ok()
    project.mlx("checkout").ok()
    after = project.snapshot()
    assert after.workspace == added.snapshot().workspace
    assert after.litter == added.snapshot().litter

"""Fixtures and moments for tests that stop commands in the midst of many files."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from .cached import OBJECTS, files_below, whole_objects
from .processes import Running, wait_for
from .project import Project
from .tools import Tools

FILES = 2100  # enough for several processes
BIG = 3  # and so many that take a while each
COUNT = FILES + BIG


@pytest.fixture(scope="session")
def many(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A folder of many files, some of them big; copied, never changed."""
    project = Project.copy(template, tmp_path_factory.mktemp("many") / "many", tools)
    for number in range(FILES):
        project.write(f"data/{number % 9}/{number}", f"{number}\n" * 50)
    for number in range(BIG):
        project.write(f"data/big/{number}", random.Random(number).randbytes(3 << 20))
    return project


@pytest.fixture(scope="session")
def many_added(many: Project) -> Project:
    """The same folder, tracked and in the cache."""
    project = many.twin("added")
    project.mlx("add", "data").ok()
    return project


@pytest.fixture(scope="session")
def many_objects(many_added: Project) -> set[str]:
    """The names of all its objects."""
    names = whole_objects(many_added.root / OBJECTS)
    assert len(names) == COUNT + 1
    return names


@pytest.fixture(scope="session")
def many_pushed(many_added: Project) -> Project:
    """The same folder in a remote beside the project, and nowhere else."""
    project = many_added.twin("pushed")
    add_store(project, project.root.parent / "store")
    project.mlx("push").ok()
    project.sh("rm -rf data .dvc/cache .mlx")
    return project


@pytest.fixture(scope="session")
def few(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Some files, and one that takes several requests, in the cache: for servers."""
    project = Project.copy(template, tmp_path_factory.mktemp("few") / "few", tools)
    for number in range(40):
        project.write(f"data/{number % 3}/{number}", random.Random(number).randbytes(50_000))
    project.write("big", random.Random(0).randbytes(3 << 20))
    project.mlx("add", "data", "big").ok()
    return project


def add_store(project: Project, folder: Path) -> Path:
    """Make a folder the project's remote; where its objects lie."""
    project.dvc("remote", "add", "-q", "-d", "store", str(folder)).ok()
    return folder / "files/md5"


def laid_out(project: Project) -> int:
    """How many files of `data` there are, those that are being made ready included."""
    return files_below(project.root / "data", *project.root.glob(".mlx-*.tmp"))


def reach(running: Running, progress: Callable[[], int], least: int) -> None:
    """Return once a command has got so far, or has ended."""
    wait_for(lambda: running.process.poll() is not None or progress() >= least, "it got so far")

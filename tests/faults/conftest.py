"""Projects with much data, made once; a disk that may fill up."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.cached import OBJECTS, whole_objects
from tests.support.disk import SmallDisk
from tests.support.many import BIG, COUNT, FILES, add_store
from tests.support.project import Project
from tests.support.tools import Tools


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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A file system whose size can be changed; skips where that is not allowed."""
    disk = SmallDisk(tmp_path / "disk")
    yield disk
    disk.close()

"""SIGKILL in the midst of `mlx gc`: all that is needed stays, and no folder lacks a file."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.cached import OBJECTS, cached, dvc_file, place_folder, track
from tests.support.forks import in_fork
from tests.support.processes import Running
from tests.support.project import Project
from tests.support.tools import Tools

JUNK = 40  # folders that nothing refers to, some files of which are needed
STEPS = 44
REAL = 6
ARGUMENTS = ("gc", "--older-than", "0d", "--yes", "-q")


@pytest.fixture(scope="module")
def before(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two commits with a file and a folder each, and folders that share files with those."""
    project = Project.copy(template, tmp_path_factory.mktemp("gc") / "before", tools)
    project.write(".gitignore", "/data\n/folder\n")
    for number in range(2):
        track(project, "data", f"data {number}".encode())
        folder, _ = place_folder(project, {f"f{one}": f"{number}{one}".encode() for one in "abc"})
        project.write("folder.dvc", dvc_file(folder, "folder"))
        tools.commit(project.root, f"commit {number}")
    for number in range(JUNK):
        files = {f"j{one}": f"junk {number % 7} {one}".encode() for one in range(6)}
        place_folder(project, {**files, "shared": b"1a", "own": f"own {number}".encode()})
    return project


@pytest.fixture(scope="module")
def after(before: Project, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What an undisturbed run leaves."""
    project = Project.copy(before.root, tmp_path_factory.mktemp("gc") / "after", before.tools)
    project.mlx(*ARGUMENTS).ok()
    return cached(project)


def test_killed_before_any_deletion(before: Project, after: set[str], tmp_path: Path) -> None:
    """One project is killed again and again; each time it gets a little further."""
    project = Project.copy(before.root, tmp_path / "p", before.tools)
    sizes = [len(cached(project))]
    deaths = 0
    for number in range(STEPS):
        code = in_fork(project, ARGUMENTS, _die_before(random.Random(number).randint(0, 5))).code
        assert code in (0, -9)
        _check(project, before, after)
        sizes.append(len(cached(project)))
        deaths += code == -9
    assert deaths > STEPS - 10
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < sizes[0]
    _complete(project, after)


@pytest.mark.parametrize("number", range(REAL))
def test_killed_at_any_time(number: int, before: Project, after: set[str], tmp_path: Path) -> None:
    chance = random.Random(number)
    project = Project.copy(before.root, tmp_path / "p", before.tools)
    running = Running.mlx(project, *ARGUMENTS)
    running.ends_within(chance.uniform(0.15, 0.6))
    running.kill(whole_tree=True)
    _check(project, before, after)
    _complete(project, after)


def _die_before(number: int) -> Callable[[], None]:
    """Make a process kill itself before it deletes its `number`th object."""

    def prepare() -> None:
        unlink, left = os.unlink, number

        def counted(path: str, **options: int) -> None:
            nonlocal left
            if "/files/md5/" in os.fspath(path):
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), 9)
            unlink(path, **options)

        os.unlink = counted  # type: ignore[assignment]

    return prepare


def _check(project: Project, before: Project, after: set[str]) -> None:
    """All that is needed is there with its bytes, and every folder that is there is complete."""
    found = cached(project)
    assert found >= after, f"lost: {after - found}"
    assert found <= cached(before)
    for name in found:
        path = project.root / OBJECTS / name[:2] / name[2:]
        if name.endswith(".dir"):
            files = {one["md5"] for one in json.loads(path.read_bytes())}
            assert files <= found, f"{name} lacks {files - found}"
        else:
            original = before.root / OBJECTS / name[:2] / name[2:]
            assert path.read_bytes() == original.read_bytes()


def _complete(project: Project, after: set[str]) -> None:
    """The next run ends what was begun, and dvc brings back each commit."""
    project.mlx(*ARGUMENTS).ok()
    assert cached(project) == after
    for commit in ("main", "main~1"):
        project.git("checkout", "-q", commit)
        project.dvc("checkout", "-q").ok()
        assert "up to date" in project.dvc("status").ok().stdout

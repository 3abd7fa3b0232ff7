"""A disk that fills up in the middle: a clear error, nothing lost, and it completes later."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.project import Project
from tests.support.snapshot import assert_alike
from tests.support.tools import Tools

KIB = 1024
STAGES = {
    f"s{number}": {
        "cmd": f"head -c 300000 /dev/zero | tr '\\0' {number} > o{number}; cat in >> o{number}",
        "deps": ["in"],
        "outs": [f"o{number}"],
    }
    for number in range(4)
}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mount (or resize) a file system of so many KiB; skip where that is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False

    def size(kib: int) -> Path:
        nonlocal mounted
        options = f"size={kib}k" + (",remount" if mounted else "")
        argv = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no small file system here: {done.stderr.strip()}")
        mounted = True
        return folder

    yield size
    if mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _expected(template: Path, folder: Path, tools: Tools, *texts: str) -> Project:
    project = Project.copy(template, folder / "undisturbed", tools)
    project.pipeline(STAGES)
    for text in texts:
        project.write("in", text)
        project.mlx("repro").ok()
    return project


# What one run needs beyond the project itself is about 2.5 MB.
@pytest.mark.parametrize("free", [60, 350, 700, 1100, 1500, 1900, 2300])
def test_first_run(
    free: int, small_disk: Callable[[int], Path], template: Path, tmp_path: Path, tools: Tools
) -> None:
    root = small_disk(20 * KIB)
    project = Project.copy(template, root / "p", tools)
    project.pipeline(STAGES)
    project.write("in", "in\n")
    small_disk(_used(root) + free)

    result = project.mlx("repro", "-j", "2")
    _clear(result.code, result.stderr)
    project.mlx("status").ok()

    small_disk(20 * KIB)
    project.mlx("repro").ok()
    expected = _expected(template, tmp_path, tools, "in\n").snapshot()
    # A stage that failed once comes later in the lock, as it does in dvc.
    assert_alike(project.snapshot(), expected, same_order=False)
    assert project.dvc("status", "--json").ok().json == {}


@pytest.mark.parametrize("free", [100, 800, 1600])
def test_an_earlier_result_is_not_lost(
    free: int, small_disk: Callable[[int], Path], template: Path, tools: Tools
) -> None:
    root = small_disk(20 * KIB)
    project = Project.copy(template, root / "p", tools)
    project.pipeline(STAGES)
    project.write("in", "old\n")
    project.mlx("repro").ok()
    before = project.snapshot()
    project.write("in", "new\n")
    small_disk(_used(root) + free)

    result = project.mlx("repro", "-j", "2")
    _clear(result.code, result.stderr)
    after = project.snapshot()  # checks the cache's objects
    for number in range(4):
        text = (project.root / f"o{number}").read_text()[-4:]
        assert text in ("old\n", "new\n"), f"o{number} is cut"
    assert before.cache.keys() <= after.cache.keys()

    small_disk(20 * KIB)
    project.mlx("repro").ok()
    assert {(project.root / f"o{n}").read_text()[-4:] for n in range(4)} == {"new\n"}
    assert project.dvc("status", "--json").ok().json == {}


def _used(root: Path) -> int:
    words = subprocess.run(
        ["df", "-k", "--output=used", str(root)], capture_output=True, text=True, check=True
    ).stdout.split()
    return int(words[-1])


def _clear(code: int, stderr: str) -> None:
    assert code in (0, 1), stderr
    assert "Traceback" not in stderr, stderr
    if code:
        assert "space" in stderr.lower(), stderr

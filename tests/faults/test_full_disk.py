"""A disk that fills up in the middle: a clear error, nothing lost, and it completes later."""

from pathlib import Path

import pytest
from tests.support.disk import KIB, SmallDisk
from tests.support.project import Project
from tests.support.snapshot import assert_alike
from tests.support.tools import Tools

STAGES = {
    f"s{number}": {
        "cmd": f"head -c 300000 /dev/zero | tr '\\0' {number} > o{number}; cat in >> o{number}",
        "deps": ["in"],
        "outs": [f"o{number}"],
    }
    for number in range(4)
}


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
    free: int, small_disk: SmallDisk, template: Path, tmp_path: Path, tools: Tools
) -> None:
    root = small_disk.resize(20 * KIB)
    project = Project.copy(template, root / "p", tools)
    project.pipeline(STAGES)
    project.write("in", "in\n")
    small_disk.leave(free)

    result = project.mlx("repro", "-j", "2")
    _clear(result.code, result.stderr)
    project.mlx("status").ok()

    small_disk.resize(20 * KIB)
    project.mlx("repro").ok()
    expected = _expected(template, tmp_path, tools, "in\n").snapshot()
    # A stage that failed once comes later in the lock, as it does in dvc.
    assert_alike(project.snapshot(), expected, same_order=False)
    assert project.dvc("status", "--json").ok().json == {}


@pytest.mark.parametrize("free", [100, 800, 1600])
def test_an_earlier_result_is_not_lost(
    free: int, small_disk: SmallDisk, template: Path, tools: Tools
) -> None:
    root = small_disk.resize(20 * KIB)
    project = Project.copy(template, root / "p", tools)
    project.pipeline(STAGES)
    project.write("in", "old\n")
    project.mlx("repro").ok()
    before = project.snapshot()
    project.write("in", "new\n")
    small_disk.leave(free)

    result = project.mlx("repro", "-j", "2")
    _clear(result.code, result.stderr)
    after = project.snapshot()  # checks the cache's objects
    for number in range(4):
        text = (project.root / f"o{number}").read_text()[-4:]
        assert text in ("old\n", "new\n"), f"o{number} is cut"
    assert before.cache.keys() <= after.cache.keys()

    small_disk.resize(20 * KIB)
    project.mlx("repro").ok()
    assert {(project.root / f"o{n}").read_text()[-4:] for n in range(4)} == {"new\n"}
    assert project.dvc("status", "--json").ok().json == {}


def _clear(code: int, stderr: str) -> None:
    assert code in (0, 1), stderr
    assert "Traceback" not in stderr, stderr
    if code:
        assert "space" in stderr.lower(), stderr

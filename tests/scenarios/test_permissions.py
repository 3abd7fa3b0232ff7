"""Files that a stage or a system administrator made read-only, met by an ordinary user."""

import os
import sys
from collections.abc import Iterator

import pytest
from tests.support.commands import Result, run
from tests.support.project import Project

# Root may do everything: as root, mlx is started without the rights that an ordinary user lacks.
START = """
import ctypes, os, sys
if os.geteuid() == 0:
    libc = ctypes.CDLL(None)
    for capability in range(41):
        libc.prctl(24, capability, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-m", "mlxkit", *sys.argv[1:]])
"""


def mlx(project: Project, *args: str) -> Result:
    """`mlx ARGS` as an ordinary user."""
    return run([sys.executable, "-c", START, *args], project.root, project.tools.env)


@pytest.fixture
def locked(project: Project) -> Iterator[Project]:
    """A stage whose outputs are a file, a metric that Git keeps, and a folder it protects."""
    project.write("in", "1\n")
    project.pipeline(
        {
            "s": {
                "cmd": "cat in > a; cp in m.json; mkdir -p d/n; cp in d/n/x; chmod -R a-w d",
                "deps": ["in"],
                "outs": ["a", "d"],
                "metrics": [{"m.json": {"cache": False}}],
            }
        }
    )
    yield project
    for folder, _, _ in os.walk(project.root):
        os.chmod(folder, 0o755)


def test_a_stage_that_protects_what_it_made_runs_again(locked: Project) -> None:
    assert mlx(locked, "repro").code == 0
    locked.write("in", "2\n")
    result = mlx(locked, "repro")
    assert result.code == 0, str(result)
    assert (locked.read("a"), locked.read("d/n/x")) == ("2\n", "2\n")
    assert not os.path.exists(locked.root / ".mlx/run")
    locked.write("in", "1\n")
    assert mlx(locked, "repro", "--json").ok().json["stages"][0]["outcome"] == "restored"
    assert locked.read("d/n/x") == "1\n"


def test_nothing_is_lost_when_it_fails(locked: Project) -> None:
    assert mlx(locked, "repro").code == 0
    locked.write("in", "2\n")
    locked.sh("sed -i 's/chmod -R a-w d/chmod -R a-w d; exit 1/' dvc.yaml")
    assert mlx(locked, "repro").code == 1
    assert [locked.read(path) for path in ("a", "m.json", "d/n/x")] == ["1\n", "1\n", "1\n"]
    assert mlx(locked, "repro").code == 1, "a second time: what the first left is in the way"
    assert locked.read("m.json") == "1\n"


def test_what_cannot_be_moved_away_does_not_take_the_rest_with_it(locked: Project) -> None:
    """A folder that may not be changed at all: the stage fails, its outputs stay."""
    mlx(locked, "repro").ok()
    locked.sh("rm dvc.yaml dvc.lock; chmod -R u+w d")
    outs = {"outs": ["a", "sub/b"]}
    locked.pipeline(
        {"s": {**outs, "cmd": "mkdir -p sub; cat in > a; cat in > sub/b", "deps": ["in"]}}
    )
    mlx(locked, "repro").ok()
    locked.write("in", "2\n")
    (locked.root / "sub").chmod(0o555)
    result = mlx(locked, "repro")
    assert result.code == 1
    assert "sub/b" in result.stderr and "Traceback" not in result.stderr
    assert (locked.read("a"), locked.read("sub/b")) == ("1\n", "1\n")


def test_a_project_that_may_only_be_read(locked: Project) -> None:
    """Somebody else's project: looking is allowed."""
    mlx(locked, "repro").ok()
    locked.sh("chmod -R a-w . && chmod a-w .git")
    try:
        assert mlx(locked, "status").ok().stdout == "up to date: 1 stage\n"
        assert mlx(locked, "dag").ok().stdout == "s\n"
        result = mlx(locked, "repro")
        assert result.code == 1
        assert "Traceback" not in result.stderr and "hint:" in result.stderr
    finally:
        locked.sh("chmod -R u+w .")


def test_a_dependency_that_may_not_be_read(locked: Project) -> None:
    mlx(locked, "repro").ok()
    (locked.root / "in").chmod(0)
    for verb in ("repro", "status"):
        result = mlx(locked, verb)
        assert result.code == 1, str(result)
        assert "in'" in result.stderr and "hint:" in result.stderr, str(result)
    (locked.root / "in").chmod(0o644)


def test_a_gate_is_judged_where_nothing_can_be_kept(locked: Project) -> None:
    locked.pipeline({}, metrics=["m.json"])
    locked.write("m.json", '{"acc": 0.5}')
    locked.write("mlx.yaml", "gates: {g: [{threshold: {metric: acc, min: 0.6}}]}\n")
    locked.tools.commit(locked.root, "rules")
    locked.sh("chmod -R a-w .git")
    done = mlx(locked, "gate")
    assert (done.code, done.stdout.splitlines()[0]) == (3, "g: failed (1 failed)")
    assert "the verdicts were not kept: Permission denied" in done.stderr
    assert mlx(locked, "gate", "--override", "--reason", "r").code == 1

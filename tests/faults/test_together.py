"""Several commands at once in one project: runs take turns, readers never wait."""

from pathlib import Path
from typing import Any

from tests.support.commands import dvc_argv
from tests.support.processes import Running, wait_for
from tests.support.project import Project
from tests.support.snapshot import assert_alike


def _marked(project: Project, count: int = 12) -> None:
    """Stages that write down, outside of the project, when they start and end."""
    stages: dict[str, Any] = {}
    for number in range(count):
        before = f"o{number - 3}" if number >= 3 else "in"
        cmd = f"echo start {number} >> ../log; cat {before} > o{number}; sleep 0.05; "
        cmd += f"echo {number} >> o{number}; echo end {number} >> ../log"
        stages[f"s{number}"] = {"cmd": cmd, "deps": [before], "outs": [f"o{number}"]}
    project.write("in", "in\n")
    project.pipeline(stages)


def _undisturbed(project: Project) -> Any:
    twin = project.twin("undisturbed")
    twin.mlx("repro").ok()
    (project.root.parent / "log").unlink()
    return twin.snapshot()


def _never_twice_at_once(log: Path) -> None:
    running: set[str] = set()
    for line in log.read_text().splitlines():
        what, number = line.split()
        if what == "start":
            assert number not in running, f"stage {number} ran twice at the same moment"
            running.add(number)
        else:
            running.discard(number)


def test_two_runs(project: Project, tmp_path: Path) -> None:
    _marked(project)
    expected = _undisturbed(project)
    runs = [Running.mlx(project, "repro", "-j", "4") for _ in range(2)]
    results = [run.finish() for run in runs]
    assert {result.code for result in results} <= {0, 5}, "\n".join(map(str, results))
    assert 0 in {result.code for result in results}
    _never_twice_at_once(tmp_path / "log")
    project.mlx("repro").ok()
    assert_alike(project.snapshot(), expected)


def test_two_runs_where_none_waits(project: Project, tmp_path: Path) -> None:
    _marked(project, 3)
    expected = _undisturbed(project)
    project.write(
        "dvc.yaml",
        project.read("dvc.yaml").replace("sleep 0.05", "while [ ! -e ../go ]; do sleep 0.01; done"),
    )
    first = Running.mlx(project, "repro", "-j", "4")
    wait_for((tmp_path / "log").exists, "a stage started")
    second = project.mlx("repro", "--wait", "0", "--json")
    assert second.code == 5, str(second)
    assert second.json["error"]["code"] == "busy", str(second)
    assert str(first.process.pid) in str(second.json["error"]), "who holds it is named"
    (tmp_path / "go").touch()
    first.finish().ok()
    _never_twice_at_once(tmp_path / "log")
    assert project.snapshot().cache == expected.cache


def test_status_during_a_run(project: Project, tmp_path: Path) -> None:
    project.write("in", "in\n")
    wait = "touch ../started; while [ ! -e ../go ]; do sleep 0.01; done"
    project.pipeline(
        {
            "a": {"cmd": "cat in > a", "deps": ["in"], "outs": ["a"]},
            "b": {"cmd": f"{wait}; cat a > b", "deps": ["a"], "outs": ["b"]},
            "c": {"cmd": "cat b > c", "deps": ["b"], "outs": ["c"]},
        }
    )
    running = Running.mlx(project, "repro")
    wait_for((tmp_path / "started").exists, "the stage started")
    document = project.mlx("status", "--json").ok().json
    states = {entry["stage"]: entry["state"] for entry in document["stages"]}
    assert states == {"a": "fresh", "b": "running", "c": "stale"}
    assert document["clean"] is False
    project.mlx("status").ok()
    (tmp_path / "go").touch()
    running.finish().ok()
    assert project.mlx("status", "--json").ok().json["clean"] is True


def test_beside_dvc_repro(project: Project, tmp_path: Path) -> None:
    _marked(project)
    expected = _undisturbed(project)
    by_dvc = Running(project, dvc_argv("repro"))
    by_mlx = Running.mlx(project, "repro", "-j", "4")
    by_dvc.finish()
    ours = by_mlx.finish()
    assert ours.code in (0, 5), str(ours)
    _never_twice_at_once(tmp_path / "log")
    project.mlx("repro").ok()
    # dvc may have written some stages first: the order in the lock is its own.
    assert_alike(project.snapshot(), expected, same_order=False)
    assert project.dvc("status", "--json").ok().json == {}


def test_beside_dvc_status(project: Project, tmp_path: Path) -> None:
    _marked(project)
    expected = _undisturbed(project)
    running = Running.mlx(project, "repro", "-j", "4")
    wait_for((tmp_path / "log").exists, "a stage started")
    while not running.ends_within(0):
        # dvc gives up where something is written to; it must never break what we do.
        project.dvc("status", "--json")
    running.finish().ok()
    assert_alike(project.snapshot(), expected)
    assert project.dvc("status", "--json").ok().json == {}

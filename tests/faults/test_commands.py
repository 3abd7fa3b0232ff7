"""Commands that misbehave: daemons, floods of output, bytes that are no text, a closed pipe."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from tests.support.commands import mlx_argv
from tests.support.processes import Running, alive, wait_for
from tests.support.project import Project


def _stage(project: Project, cmd: str | list[str]) -> None:
    project.write("in", "in\n")
    project.pipeline({"s": {"cmd": cmd, "deps": ["in"], "outs": ["out"]}})


def test_a_daemon_does_not_hold_up_the_run(project: Project, tmp_path: Path) -> None:
    """A process that a command leaves behind keeps its output open."""
    _stage(project, "(sleep 600 & echo $! > ../daemon.pid); cat in > out")
    running = Running.mlx(project, "repro")
    try:
        running.finish(timeout=60).ok()
    finally:
        pid = int((tmp_path / "daemon.pid").read_text())
        if alive(pid):
            os.kill(pid, signal.SIGKILL)
    assert project.read("out") == "in\n"
    assert project.dvc("status", "--json").ok().json == {}


@pytest.mark.parametrize("flag", ["--json", "-q", "-v", "-j4"])
def test_a_flood_of_output(flag: str, project: Project) -> None:
    flood = "head -c 5000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero >&2"
    _stage(project, f"{flood}; cat in > out")
    result = project.mlx("repro", flag).ok()
    if flag == "--json":
        assert result.json["ok"] is True


def test_output_that_is_no_text(project: Project) -> None:
    _stage(project, "printf '\\377\\376\\033[31m\\r\\n\\0'; printf '\\377' >&2; cat in > out")
    assert project.mlx("repro", "--json").ok().json["ok"] is True
    project.mlx("repro", "-f").ok()


@pytest.mark.parametrize("args", [["repro"], ["status"], ["status", "--json"], ["repro", "--help"]])
def test_nobody_reads_the_output(args: list[str], project: Project) -> None:
    """`mlx ... | head -0`: no traceback."""
    _stage(project, "cat in > out")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        mlx_argv(*args),
        cwd=project.root,
        env=dict(project.tools.env),
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    os.close(writer)
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr
    assert done.returncode != 70
    project.mlx("repro").ok()


def test_a_command_killed_by_a_signal(project: Project) -> None:
    _stage(project, "echo half > out; kill -9 $$")
    result = project.mlx("repro", "--json")
    assert result.code == 1, str(result)
    (entry,) = result.json["stages"]
    assert entry["outcome"] == "failed"
    assert not (project.root / "out").exists()


def test_a_command_that_deletes_our_folder(project: Project) -> None:
    """Everything under .mlx/ can be deleted at any time."""
    _stage(project, "rm -rf .mlx; cat in > out")
    project.mlx("repro").ok()
    assert project.dvc("status", "--json").ok().json == {}


def test_a_command_that_runs_mlx_status(project: Project, tmp_path: Path) -> None:
    _stage(project, "mlx status --json > ../status.json; cat in > out")
    project.mlx("repro").ok()
    assert "running" in (tmp_path / "status.json").read_text()


def test_a_command_that_makes_no_output(project: Project) -> None:
    _stage(project, "cat in > out")
    project.mlx("repro").ok()
    project.write("in", "new\n")
    _stage(project, ":")
    result = project.mlx("repro")
    assert result.code == 1, str(result)
    assert "out" in result.stderr
    assert project.read("out") == "in\n", "the earlier output is still there"


def test_nothing_is_left_running_after_a_failure(project: Project, tmp_path: Path) -> None:
    """One stage fails while another runs: it may finish or end, but not stay."""
    project.write("in", "in\n")
    wait = "echo $$ > ../slow.pid; while [ ! -e ../failed ]; do sleep 0.01; done; sleep 0.2"
    fail = "while [ ! -s ../slow.pid ]; do sleep 0.01; done; touch ../failed; exit 3"
    project.pipeline(
        {
            "slow": {"cmd": f"{wait}; cat in > slow", "deps": ["in"], "outs": ["slow"]},
            "bad": {"cmd": fail, "deps": ["in"], "outs": ["bad"]},
            "after": {"cmd": "cat bad > after", "deps": ["bad"], "outs": ["after"]},
        }
    )
    result = project.mlx("repro", "-j", "2", "--json")
    assert result.code == 1, str(result)
    pid = int((tmp_path / "slow.pid").read_text())
    wait_for(lambda: not alive(pid), "the other stage ended", 10)
    outcomes = {entry["stage"]: entry["outcome"] for entry in result.json["stages"]}
    assert outcomes["bad"] == "failed"
    assert outcomes["after"] == "not-reached"
    # What had begun is finished and kept, or not begun as far as the project is concerned.
    assert outcomes["slow"] in ("ran", "not-reached", "failed")
    assert (outcomes["slow"] == "ran") == (project.root / "slow").exists()

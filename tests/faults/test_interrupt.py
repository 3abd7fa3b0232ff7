"""Ctrl-C and SIGTERM, with a stage that ignores both and has children of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.processes import Running, alive, wait_for
from tests.support.project import Project

LOOP = "while :; do sleep 0.05; done"
STUBBORN = (
    "trap '' TERM INT HUP; echo half > slow.out; "
    f"(trap '' TERM INT HUP; sh -c 'echo $$ > ../child.pid; {LOOP}' & {LOOP}) & "
    f"echo $$ > ../own.pid; touch ../started; {LOOP}"
)

SIGNALS: dict[str, Callable[[Running], None]] = {
    "Ctrl-C": Running.interrupt,
    "SIGTERM": Running.terminate,
}


@pytest.fixture
def slow(project: Project) -> Project:
    """A quick stage, then one that never ends; both ran before with another input."""
    project.write("in", "old\n")
    stages = {
        "quick": {"cmd": "cat in > quick.out", "deps": ["in"], "outs": ["quick.out"]},
        "slow": {"cmd": "cat quick.out > slow.out", "deps": ["quick.out"], "outs": ["slow.out"]},
        "last": {"cmd": "cat slow.out > last.out", "deps": ["slow.out"], "outs": ["last.out"]},
    }
    project.pipeline(stages)
    project.mlx("repro").ok()
    stages["slow"]["cmd"] = STUBBORN
    project.pipeline(stages)
    project.write("in", "new\n")
    return project


@pytest.mark.parametrize("signal", SIGNALS)
def test_ends_the_whole_group(signal: str, slow: Project, tmp_path: Path) -> None:
    before = slow.lock()
    running = Running.mlx(slow, "repro", "-j", "2", "--json")
    pids = [tmp_path / "own.pid", tmp_path / "child.pid"]
    wait_for(
        lambda: (tmp_path / "started").exists() and all(map(_filled, pids)), "the stage started"
    )
    SIGNALS[signal](running)
    result = running.finish(timeout=30)

    assert result.code == 130, str(result)
    assert "Traceback" not in result.stderr
    for path in pids:
        wait_for(lambda path=path: not alive(int(path.read_text())), f"{path.name} ended", 10)  # type: ignore[misc]

    assert slow.read("slow.out") == "old\n"
    assert slow.read("last.out") == "old\n"
    assert slow.read("quick.out") == "new\n"
    after = slow.lock()
    assert after["quick"] != before["quick"], "the finished stage is committed"
    assert after["slow"] == before["slow"]
    kept = [
        p for p in (slow.root / ".mlx").rglob("*") if p.is_file() and p.read_bytes() == b"half\n"
    ]
    assert kept, "the partial output is kept aside"

    slow.write(
        "dvc.yaml", slow.read("dvc.yaml").replace("echo half", "cat quick.out > slow.out; exit 0;")
    )
    slow.mlx("repro").ok()
    assert slow.read("last.out") == "new\n"
    assert slow.dvc("status", "--json").ok().json == {}


def _filled(path: Path) -> bool:
    return path.exists() and path.read_text().strip() != ""


def test_a_second_interrupt_is_no_traceback(slow: Project, tmp_path: Path) -> None:
    running = Running.mlx(slow, "repro")
    wait_for((tmp_path / "started").exists, "the stage started")
    running.interrupt()
    if not running.ends_within(0.05):
        running.interrupt()
    result = running.finish(timeout=30)
    assert result.code == 130, str(result)
    assert "Traceback" not in result.stderr
    assert slow.read("slow.out") == "old\n"
    slow.mlx("status").ok()

"""Metrics are seen while they are written: by `mlx repro`, and by `mlx exp show --watch`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.processes import Running, wait_for
from tests.support.project import Project
from tests.support.terminal import Terminal

# Writes three steps, and waits to be let go before it ends.
TRAIN = """
import json, os, sys, time
import yaml
rate = yaml.safe_load(open("params.yaml"))["lr"]
with open("curve.csv", "w") as curve:
    print("epoch,valid_loss", file=curve)
    for epoch in range(3):
        print(f"{epoch},{(4 - epoch) * rate}", file=curve)
json.dump({"accuracy": rate / 2, "note": "a\\x1b[31mred"}, open("metrics.json", "w"))
open(os.environ["GATE"] + "/begun", "w").close()
while not os.path.exists(os.environ["GATE"] + "/go"):
    time.sleep(0.01)
"""
DVCLIVE = """
import os, time
from dvclive import Live
with Live(dir="results", save_dvc_exp=False, dvcyaml=None) as live:
    for epoch in range(3):
        live.log_metric("train/loss", 4.0 - epoch)
        live.next_step()
    while not os.path.exists(os.environ["GATE"] + "/go"):
        time.sleep(0.01)
"""


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    folder = tmp_path / "gate"
    folder.mkdir()
    return folder


@pytest.fixture
def opened() -> Iterator[list[Terminal]]:
    """Terminals to close whatever happens."""
    found: list[Terminal] = []
    yield found
    for one in found:
        one.close()


@pytest.fixture
def curves(project: Project) -> Project:
    """A stage with metrics and a curve, committed; it never ran."""
    project.write("train.py", TRAIN)
    project.write("params.yaml", "lr: 0.5\n")
    project.write("mlx.yaml", "metrics:\n  accuracy: {better: higher, unit: '%'}\n")
    train = {
        "cmd": "python train.py",
        "deps": ["train.py"],
        "params": ["lr"],
        "metrics": [{"metrics.json": {"cache": False}}],
        "plots": [{"curve.csv": {"x": "epoch"}}],
    }
    project.pipeline({"train": train})
    project.tools.commit(project.root, "a pipeline")
    return project


def test_a_running_stage_has_its_metrics_below(
    curves: Project, gate: Path, opened: list[Terminal]
) -> None:
    terminal = Terminal(curves, "repro", GATE=str(gate))
    opened.append(terminal)
    terminal.wait_for("accuracy ↑ 0.25 %   valid_loss ↓ 1      █▅▁")
    terminal.wait_for(r"note a\x1b[31mred")
    assert re.search(r"running +train .*\n    accuracy", terminal.text)
    (gate / "go").touch()
    assert terminal.end() == 0
    stays = r"ran +train .*new stage(.|\n)* waiting    valid_loss ↓ 1 +█▅▁"
    assert re.search(stays, terminal.text), "one value, of the accuracy, is no curve"


def test_a_narrow_terminal_without_unicode(
    curves: Project, gate: Path, opened: list[Terminal]
) -> None:
    terminal = Terminal(curves, "repro", columns=40, GATE=str(gate), PYTHONIOENCODING="ascii")
    opened.append(terminal)
    terminal.wait_for("    accuracy 0.25 %")
    terminal.wait_for("    valid_loss 1      #+_")
    (gate / "go").touch()
    assert terminal.end() == 0


def test_results_from_before_are_not_taken_for_new_ones(
    curves: Project, gate: Path, opened: list[Terminal]
) -> None:
    curves.sh("sed -i s,plots:,outs:, dvc.yaml")
    curves.pipeline(
        {"train": {"cmd": "touch $GATE/begun; until [ -e $GATE/go ]; do sleep 0.01; done; touch o",
                   "outs": ["o"], "metrics": [{"m.json": {"persist": True}}]}}
    )  # fmt: skip
    curves.write("m.json", '{"accuracy": 0.9}')
    terminal = Terminal(curves, "repro", GATE=str(gate))
    opened.append(terminal)
    terminal.wait_for("0 done, 1 running")
    wait_for((gate / "begun").exists, "the stage runs")
    (gate / "go").touch()
    assert terminal.end() == 0
    assert "accuracy" not in terminal.text


def test_a_pipe_gets_nothing_new(curves: Project, gate: Path) -> None:
    (gate / "go").touch()
    result = curves.mlx("repro", GATE=str(gate)).ok()
    assert "accuracy" not in result.stdout + result.stderr
    assert "loss" not in result.stdout + result.stderr


@pytest.mark.slow
def test_dvclive(project: Project, gate: Path, opened: list[Terminal]) -> None:
    project.write("train.py", DVCLIVE)
    project.pipeline({"train": {"cmd": "python train.py", "outs": ["results"]}})
    terminal = Terminal(project, "repro", GATE=str(gate))
    opened.append(terminal)
    terminal.wait_for("train.loss ↓ 2      █▅▁")
    terminal.wait_for("step ")
    (gate / "go").touch()
    assert terminal.end() == 0


def test_experiments_are_watched_until_none_runs(
    curves: Project, gate: Path, opened: list[Terminal]
) -> None:
    (gate / "go").touch()
    curves.mlx("repro", GATE=str(gate)).ok()
    curves.tools.commit(curves.root, "ran")
    (gate / "go").unlink()
    (gate / "begun").unlink()
    run = Running.mlx(curves, "exp", "run", "--name", "mine", "-S", "lr=2", GATE=str(gate))
    try:
        wait_for((gate / "begun").exists, "the stage has written")
        terminal = Terminal(curves, "exp", "show", "--watch")
        opened.append(terminal)
        lines = Running.mlx(curves, "exp", "show", "--watch")
        documents = Running.mlx(curves, "exp", "show", "--watch", "--json")
        terminal.wait_for("accuracy ↑ 1 %      valid_loss ↓ 4      █▅▁")
        terminal.wait_for("1 experiment running")
        assert re.search(r"mine +\d.* lr=2  train\n", terminal.text)
        assert lines.process.stdout and documents.process.stdout
        line = lines.process.stdout.readline().decode()
        assert line.startswith("mine  train  accuracy=1 %  valid_loss=4")
        told = json.loads(documents.process.stdout.readline())
    finally:
        (gate / "go").touch()
    assert run.finish().code == 0
    assert told == {
        "name": "mine",
        "params": {"params.yaml": {"lr": 2}},
        "stages": ["train"],
        "metrics": {"valid_loss": 4.0, "accuracy": 1.0, "note": "a\x1b[31mred"},
    }
    assert terminal.end() == 0
    assert re.search(r"experiment .*accuracy(.|\n)*  mine", terminal.text.rpartition("running")[2])
    assert re.search("experiment .*\n(.*\n)*  mine", lines.finish().ok().stdout), "the table"
    assert documents.finish().ok().stdout == ""


def test_ctrl_c_ends_a_watch(curves: Project, gate: Path, opened: list[Terminal]) -> None:
    run = Running.mlx(curves, "exp", "run", GATE=str(gate))
    try:
        wait_for((gate / "begun").exists, "the stage has written")
        terminal = Terminal(curves, "exp", "show", "--watch")
        opened.append(terminal)
        terminal.wait_for("1 experiment running")
        terminal.type("\x03")
        assert terminal.end() == 130
        assert run.process.poll() is None
    finally:
        (gate / "go").touch()
    assert run.finish().code == 0


def test_nothing_to_watch(curves: Project) -> None:
    result = curves.mlx("exp", "show", "--watch").ok()
    assert "no experiment is running" in result.stderr
    assert "workspace" in result.stdout
    assert curves.mlx("exp", "show", "--watch", "--json").ok().stdout == ""

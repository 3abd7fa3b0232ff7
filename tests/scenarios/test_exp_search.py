"""`mlx exp run --search`: runs chosen by results; killed and asked again it goes on."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.processes import Running, wait_for
from tests.support.project import Project

SPACE = "--sweep", "x=0.5..8.0;kind=a,b"
# A bowl in x, its lowest point at 2 of kind b; at the second run it may wait, or fail.
TRAIN = """
import json, os, sys, time
import yaml
asked = yaml.safe_load(open("params.yaml"))
gate = os.environ.get("GATE", "")
if gate:
    begun = len(os.listdir(gate))
    open(f"{gate}/{os.getpid()}", "w").close()
    while begun == 2 and not os.path.exists(gate + "-open"):
        time.sleep(0.01)
if asked["kind"] == os.environ.get("BAD"):
    sys.exit("cannot be trained")
loss = (asked["x"] - 2) ** 2 + (asked["kind"] == "a")
json.dump({"loss": loss, "odd": "high", "nan": float("nan")}, open("metrics.json", "w"))
"""


@pytest.fixture
def bowl(project: Project) -> Project:
    """A stage with two parameters, committed; it never ran."""
    project.write("train.py", TRAIN)
    project.write("params.yaml", "x: 1.0\nkind: a\n")
    train = {
        "cmd": "python train.py",
        "deps": ["train.py"],
        "params": ["x", "kind"],
        "metrics": [{"metrics.json": {"cache": False}}],
    }
    project.pipeline({"train": train})
    project.tools.commit(project.root, "a pipeline")
    return project


def search(project: Project, count: int, *args: str, code: int = 0, **env: str) -> dict[str, Any]:
    goal = ("--search", str(count), "--metric", "loss", "--json")
    result = project.mlx("exp", "run", *SPACE, *goal, *args, **env)
    assert result.code == code, str(result)
    found: dict[str, Any] = result.json
    return found


def values(found: dict[str, Any]) -> list[Any]:
    return [(one["name"], one["params"]["params.yaml"]) for one in found["experiments"]]


def test_the_best_of_a_search(bowl: Project) -> None:
    found = search(bowl, 5)
    told = [one["value"] for one in found["experiments"]]
    assert len(told) == 5 and found["ok"] and found["failed"] == 0
    best = found["experiments"][told.index(min(told))]["name"]
    assert found["search"] == {"metric": "loss", "better": "lower", "seed": 0, "best": best}
    assert bowl.git("status", "--porcelain").stdout == ""
    again = bowl.mlx("exp", "run", *SPACE, "--search", "5", "--metric", "loss").ok()
    assert again.stdout.count("was there") == 5
    assert f"best loss: {min(told):.5g}, {best}\n" in again.stdout
    assert f"mlx exp apply {best}" in again.stderr


def test_killed_it_goes_on_with_the_same_runs(bowl: Project, tmp_path: Path) -> None:
    whole = values(search(bowl.twin("other"), 4))
    gate = tmp_path / "gate"
    gate.mkdir()
    argv = ("exp", "run", *SPACE, "--search", "4", "--metric", "loss", "-j", "1")
    running = Running.mlx(bowl, *argv, GATE=str(gate))
    wait_for(lambda: len(list(gate.iterdir())) == 3, "the third run")
    running.kill(whole_tree=True)
    found = search(bowl, 4)
    assert values(found) == whole
    assert [one["outcome"] for one in found["experiments"]] == ["skipped"] * 2 + ["done"] * 2


def test_edits_do_not_reach_a_search_that_runs(bowl: Project, tmp_path: Path) -> None:
    whole = values(search(bowl.twin("other"), 4))
    gate = tmp_path / "gate"
    gate.mkdir()
    argv = ("exp", "run", *SPACE, "--search", "4", "--metric", "loss", "--json")
    running = Running.mlx(bowl, *argv, GATE=str(gate))
    wait_for(lambda: len(list(gate.iterdir())) == 3, "the third run")
    bowl.write("params.yaml", "x: 9\nother: 1\n")
    bowl.write("train.py", "raise SystemExit(1)")
    (tmp_path / "gate-open").touch()
    assert values(running.finish().ok().json) == whole


def test_runs_that_fail_and_several_at_once(bowl: Project) -> None:
    found = search(bowl, 6, "-j", "2", code=1, BAD="a")
    for one in found["experiments"]:
        assert (one["outcome"] == "failed") == (one["params"]["params.yaml"]["kind"] == "a")
        assert (one["value"] is None) == (one["outcome"] == "failed")
    assert 0 < found["failed"] < 6
    assert found["search"]["best"]


@pytest.mark.parametrize(
    ("metric", "why"),
    [("odd", "'odd' is no number: 'high'"), ("nan", "'nan' is nan"), ("no", "no metric 'no'")],
)
def test_metrics_that_are_no_results(bowl: Project, metric: str, why: str) -> None:
    bowl.write("mlx.yaml", f"metrics: {{'{metric}': {{better: higher}}}}\n")
    result = bowl.mlx("exp", "run", *SPACE, "--search", "1", "--metric", metric)
    assert result.code == 1
    assert why in result.stdout
    assert f"no run has the metric {metric}" in result.stderr


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ((*SPACE, "--search", "2"), "needs to know what is good"),
        ((*SPACE, "--search", "2", "--metric", "odd"), "a higher or a lower 'odd' is better"),
        ((*SPACE, "--metric", "loss"), "--metric and --seed are for --search"),
        ((*SPACE, "--search", "0", "--metric", "loss"), "not in the range"),
        (("--search", "2", "--metric", "loss"), "searches over one --sweep"),
        ((*SPACE, *SPACE, "--search", "2", "--metric", "loss"), "searches over one --sweep"),
        (("--sweep", "x=2..1", "--search", "2", "--metric", "loss"), "no values"),
        (("--sweep", "x=0..1 log", "--search", "2", "--metric", "loss"), "begins above 0"),
        (("--sweep", "y=1..2", "--search", "2", "--metric", "loss"), "y"),
        ((*SPACE, "-S", "x=1,2", "--search", "2", "--metric", "loss"), "gives one value"),
        ((*SPACE, "--search", "2", "--metric", "loss", "--apply"), "--apply is not for"),
        ((*SPACE, "--search", "2", "--metric", "loss", "--dry"), "--dry is not for"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_searches_that_are_refused(bowl: Project, args: tuple[str, ...], why: str) -> None:
    result = bowl.mlx("exp", "run", *args)
    assert result.code == 2, str(result)
    assert re.search(why, result.stderr), str(result)
    assert "Traceback" not in result.stderr
    assert not bowl.git("for-each-ref", "refs/exps").stdout

"""Rules about data on real repositories: what was accepted, what is not here, what runs cost."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.project import Project
from tests.support.tools import Tools

MLX_YAML = """\
metrics: {acc: {better: higher}}
cost: {cpu_hour: 1}
gates:
  training:
    - shift: {path: data.csv, leave_out: [id]}
"""
MAKE = """\
import random, sys
rows, by = int(sys.argv[1]), float(sys.argv[2])
chance = random.Random(rows)
print("id,x,sex")
for at in range(rows):
    print(f"{at},{chance.gauss(by, 1):.4f},{'fm'[at % 2]}")
"""


def commit_data(project: Project, rows: int, by: float) -> None:
    project.sh(f"python make.py {rows} {by} > data.csv")
    project.mlx("add", "-q", "data.csv").ok()
    project.tools.commit(project.root, f"data {rows} {by}")


@pytest.fixture
def tracked(template: Path, tools: Tools, tmp_path: Path) -> Project:
    """A project with tracked data, and a gate that holds them to those before."""
    project = Project.copy(template, tmp_path / "project", tools)
    project.write("make.py", MAKE)
    project.write("mlx.yaml", MLX_YAML)
    commit_data(project, 1000, 0)
    return project


def test_shift_against_the_last_accepted(tracked: Project) -> None:
    done = tracked.mlx("gate")
    assert done.code == 3
    assert "gate training has not accepted any version of data.csv before" in done.stdout
    assert "--override" in done.stdout
    tracked.mlx("gate", "--override", "--reason", "looked at it", "--name", "Ann").ok()
    first = tracked.git("rev-parse", "HEAD").stdout.strip()

    commit_data(tracked, 1100, 0.01)
    done = tracked.mlx("gate").ok()
    assert f"against {first[:12]}: x" in done.stdout
    again = tracked.mlx("gate", "--json", "--rev", "HEAD").ok().json["gates"]
    assert again == tracked.mlx("gate", "--json").ok().json["gates"], "a commit has one verdict"
    assert set(again[0]["evidence"]) == {"data.csv", f"{first}:data.csv"}
    second = tracked.git("rev-parse", "HEAD").stdout.strip()

    commit_data(tracked, 1200, 2.0)
    done = tracked.mlx("gate")
    assert (done.code, f"against {second[:12]}: x" in done.stdout) == (3, True), "not the first"
    commit_data(tracked, 1300, 2.0)
    done = tracked.mlx("gate")
    assert (done.code, f"against {second[:12]}: x" in done.stdout) == (3, True), (
        "not one that failed"
    )
    assert tracked.mlx("gate", "--base", "HEAD~1").code == 3, "the rule names no base to replace"

    tracked.sh("python make.py 1400 0.0 > data.csv")
    done = tracked.mlx("gate")
    assert (done.code, "data.csv is not what the lock records" in done.stderr) == (1, True)
    tracked.mlx("add", "-q", "data.csv").ok()
    done = tracked.mlx("gate").ok()
    assert f"against {second[:12]}" in done.stdout
    assert "not kept: data.csv" in done.stderr


def test_data_of_the_other_version_that_are_not_here(tracked: Project, tools: Tools) -> None:
    tracked.sh("mkdir ../remote && dvc remote add -q -d store ../remote")
    tools.commit(tracked.root, "remote")
    tracked.mlx("push", "-q").ok()
    tracked.mlx("gate", "-q", "--override", "--reason", "first").ok()
    commit_data(tracked, 1100, 0.01)
    tracked.mlx("push", "-q").ok()
    tools.git(tracked.root.parent, "clone", "-q", str(tracked.root), "clone")
    clone = Project(tracked.root.parent / "clone", tools)
    clone.git("fetch", "-q", "origin", "refs/mlx/*:refs/mlx/*")
    clone.sh("dvc remote add -q --local -f store ../remote")
    done = clone.mlx("gate")
    assert (done.code, done.stdout) == (1, "")
    assert "data.csv is not here" in done.stderr
    hint = done.stderr.partition("first run: mlx ")[2].splitlines()[0]
    assert hint == "fetch --all-commits data.csv"
    clone.mlx(*hint.split(), "-q").ok()
    assert "against " in clone.mlx("gate").ok().stdout


def test_a_shallow_clone_does_not_know_what_was_accepted(tracked: Project, tools: Tools) -> None:
    tracked.mlx("gate", "-q", "--override", "--reason", "first").ok()
    commit_data(tracked, 1100, 0.01)
    source = f"file://{tracked.root}"
    tools.git(tracked.root.parent, "clone", "-q", "--depth", "1", source, "shallow")
    clone = Project(tracked.root.parent / "shallow", tools)
    clone.git("fetch", "-q", "--depth", "1", "origin", "refs/mlx/*:refs/mlx/*")
    done = clone.mlx("gate")
    assert done.code == 3
    assert "is not in this shallow clone: git fetch --unshallow" in done.stdout


COST = """\
metrics: {acc: {better: higher}}
gates:
  test:
    - cost: {metric: "m.json:acc", against: main, more: 40%, for: 0.01}
"""


def run(project: Project, acc: float, seconds: float) -> None:
    project.write("in.json", json.dumps({"acc": acc}))
    project.pipeline(
        {
            "measure": {
                "cmd": f"sleep {seconds}; cp in.json m.json",
                "deps": ["in.json"],
                "metrics": [{"m.json": {"cache": False}}],
            }
        }
    )
    project.mlx("repro", "-q").ok()


def gates(project: Project, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = project.mlx("gate", "--json", "--no-record", *more).json["gates"]
    return found


def test_cost_against_gain(template: Path, tools: Tools, tmp_path: Path) -> None:
    project = Project.copy(template, tmp_path / "project", tools)
    project.write("mlx.yaml", COST)
    run(project, 0.8, 0)
    tools.commit(project.root, "cheap")
    (same,) = gates(project)
    assert (same["verdict"], "for the same seconds" in same["why"]) == ("pass", True)
    project.git("checkout", "-q", "-b", "dear")
    run(project, 0.801, 0.5)
    (small,) = gates(project)
    assert small["verdict"] == "fail"
    assert "acc +0.001 against main for +" in small["why"]
    assert small["value"] > small["threshold"] > small["baseline"]
    assert set(small["figures"]) == {"measure"}
    run(project, 0.82, 0.5)
    (large,) = gates(project)
    assert large["verdict"] == "pass"
    tools.commit(project.root, "dear")
    assert gates(project, "--rev", "HEAD")[0]["figures"] == large["figures"]
    for measure, why in (("price", "mlx.yaml has no prices: add cost"), ("gpu_seconds", "")):
        project.write("mlx.yaml", COST.replace("for: 0.01", f"for: 0.01, measure: {measure}"))
        (found,) = gates(project)
        assert (found["verdict"], found["why"].endswith(why)) == ("fail", True)
    assert found["why"].endswith("of stage measure has no gpu_seconds on record")
    priced = COST.replace("for: 0.01", "for: 0.01, measure: price") + "cost: {cpu_hour: 0}\n"
    project.write("mlx.yaml", priced)
    assert gates(project)[0]["why"].endswith("mlx.yaml has no prices: add cost")
    project.write("mlx.yaml", priced.replace("hour: 0", "hour: 5"))
    assert gates(project)[0]["value"] > 0
    project.write("mlx.yaml", COST)
    project.git("update-ref", "-d", "refs/mlx/runs")
    (missing,) = gates(project)
    assert missing["verdict"] == "fail"
    assert missing["why"].startswith(
        "no run is on record that made stage measure as in the working tree"
    )
    project.write("mlx.yaml", COST.replace("for: 0.01", "for: 0.01, stages: [train]"))
    (unknown,) = gates(project)
    assert unknown["why"] == "the working tree has no stage train"

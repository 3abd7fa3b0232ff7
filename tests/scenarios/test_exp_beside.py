"""What goes on beside experiments that are made: deleting data, Git's hooks, a terminal."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.processes import Running, wait_for
from tests.support.project import Project
from tests.support.terminal import Terminal
from tests.support.venv import Venv

GONE = ("gc", "--workspace", "--yes", "--wait", "0")
SWEEP = ("exp", "run", "--sweep", "train.lr=0.2,0.3")


def _change(project: Project, stage: str, **fields: Any) -> None:
    """Change a stage of `dvc.yaml`, and commit all there is."""
    stages = yaml.safe_load(project.read("dvc.yaml"))["stages"]
    stages[stage].update(fields)
    project.pipeline(stages)
    project.git("add", "-A")
    project.git("commit", "-qm", "change")


def _hold(project: Project, before: str = "", **fields: Any) -> Path:
    """Let training wait for a file outside of the project; the folder of such files."""
    gate = project.root.parent / "gate"
    gate.mkdir()
    wait = f"touch {gate}/begun-$DVC_EXP_NAME; until [ -e {gate}/go ]; do sleep 0.01; done"
    _change(project, "train", cmd=f"{before}{wait}; cat clean.csv params.yaml > model", **fields)
    return gate


def _count(folder: Path) -> int:
    return len(list(folder.glob("begun-*")))


def test_data_are_not_deleted_while_experiments_are_made(trained: Project) -> None:
    gate = _hold(trained)
    sweep = Running.mlx(trained, *SWEEP, "-j", "2")
    wait_for(lambda: _count(gate) == 2 or sweep.ends_within(0), "two runs")
    refused = trained.mlx(*GONE)
    assert refused.code == 5, str(refused)
    assert "mlx exp run is at work" in refused.stderr
    assert trained.mlx("gc", "--dry").code == 0, "to look is allowed"
    sweep.kill(whole_tree=False)  # its runs are about to stop, and hold on until they have
    (gate / "go").touch()
    waited = trained.mlx("gc", "--workspace", "--yes")
    assert waited.code == 0, str(waited)
    assert not list(trained.root.glob(".mlx/exps/*/trees/*/.mlx/run"))


def test_what_a_stopped_sweep_starts_from_is_kept(trained: Project) -> None:
    trained.git("rm", "-q", "--cached", "data.csv")
    trained.dvc("add", "data.csv").ok()
    trained.git("add", "-A")
    trained.git("commit", "-qm", "data")
    gate = _hold(trained)
    trained.write("data.csv", "only,here\n")
    sweep = Running.mlx(trained, *SWEEP)
    wait_for(lambda: _count(gate) == 1 or sweep.ends_within(0), "a run")
    sweep.kill(whole_tree=True)
    (gate / "go").touch()
    trained.git("checkout", "-q", "--", ".")
    trained.mlx("checkout", "--force").ok()
    trained.mlx(*GONE[:-1], "10").ok()
    result = trained.mlx("exp", "run", "--continue", "--json")
    assert result.code == 0, str(result)
    for one in result.json["experiments"]:
        recorded = trained.git("show", f"{one['commit']}:data.csv.dvc").stdout
        assert "size: 10" in recorded


def test_gc_removes_what_finished_sweeps_and_killed_processes_left(trained: Project) -> None:
    """Not the last sweep, which `--continue` means, nor what somebody may be writing just now."""
    for rates in ("0.2,0.3", "0.4,0.5"):
        trained.mlx("exp", "run", "--sweep", f"train.lr={rates}").ok()
    first, last = sorted(trained.root.glob(".mlx/exps/*"), key=lambda one: one.stat().st_mtime_ns)
    old = [trained.root / place / ".mlx-0a.tmp" for place in (".mlx/cache", ".git/mlx")]
    young = trained.root / ".mlx" / "cache" / ".mlx-0b.tmp"
    for path in (*old, young):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    for path in old:
        os.utime(path, (0, 0))
    assert "left by a killed process or a finished sweep" in trained.mlx("gc", "--dry").stdout
    assert first.exists()
    assert trained.mlx("gc", "--yes").code == 0
    assert [path for path in (first, last, *old, young) if path.exists()] == [last, young]
    assert trained.mlx("exp", "run", "--continue").code == 0


def test_data_that_are_only_laid_out_come_into_the_cache(trained: Project) -> None:
    trained.git("rm", "-q", "--cached", "data.csv")
    trained.dvc("add", "data.csv").ok()
    trained.git("add", "-A")
    trained.git("commit", "-qm", "data")
    trained.sh("chmod u+w data.csv; cp data.csv copy; rm -rf .dvc/cache data.csv; mv copy data.csv")
    trained.mlx(*SWEEP).ok()
    trained.sh("rm -rf .dvc/cache data.csv")
    refused = trained.mlx("exp", "run", "-S", "train.lr=0.9", "--json")
    assert refused.code == 1
    assert "'data.csv' is missing" in refused.json["error"]["message"]
    assert len(list(trained.root.glob(".mlx/exps/*/plan.json"))) == 1, "nothing was planned"


def test_in_a_hook_of_git_nothing_of_the_users_changes(trained: Project) -> None:
    trained.write("params.yaml", "train:\n  lr: 0.5\n")
    git = trained.root / ".git"
    index = (git / "index").read_bytes()
    told = {"GIT_DIR": git, "GIT_INDEX_FILE": git / "index", "GIT_WORK_TREE": trained.root}
    result = trained.mlx(*SWEEP, **{name: str(path) for name, path in told.items()})
    assert result.code == 0, str(result)
    assert (git / "index").read_bytes() == index
    assert trained.git("status", "--porcelain").stdout == " M params.yaml\n"


def test_a_stage_that_takes_its_worktree_apart_harms_nobody(trained: Project) -> None:
    _change(trained, "train", cmd="rm -f .git; git add -A; cat clean.csv params.yaml > model")
    trained.write("params.yaml", "train:\n  lr: 0.5\n")
    trained.write("new.txt", "x")
    index = (trained.root / ".git" / "index").read_bytes()
    result = trained.mlx(*SWEEP)
    assert result.code == 1, str(result)
    assert "not a git repository" in result.stderr
    assert (trained.root / ".git" / "index").read_bytes() == index
    assert trained.git("worktree", "list").stdout.count("\n") == 1
    assert not trained.git("for-each-ref", "refs/exps").stdout


def test_code_that_is_installed_from_the_repository_is_the_runs_own(
    trained: Project, tmp_path: Path
) -> None:
    venv = Venv.make(tmp_path / "venv")
    (venv.site / "_pack.pth").write_text(f"{trained.root}/src\n")
    trained.write("src/pack/__init__.py", "WORD = 'old'\n")
    stage = {
        "cmd": f"{venv.python} -c 'import pack; print(pack.WORD, pack.__file__)' > out",
        "deps": ["src"],
        "params": ["seed"],
        "outs": [{"out": {"cache": False}}],
        "meta": {"mlx": {"env": True}},
    }
    trained.pipeline({"say": stage})
    trained.tools.commit(trained.root, "code")
    found = trained.mlx("exp", "run", "--sweep", "seed=1,2", "--json").ok().json["experiments"]
    for one in found:
        said = trained.git("show", f"{one['commit']}:out").stdout
        assert said.startswith(f"old {trained.root}/.mlx/exps/")
    environments = list(trained.root.glob(".mlx/cache/env/python-*.json"))
    assert len(environments) == 1, "the run's own folder is no part of the environment"


def test_a_stage_with_its_environment_as_an_input(trained: Project) -> None:
    command = "python -c 'import sys' && cat clean.csv params.yaml > model"
    _change(trained, "train", cmd=command, meta={"mlx": {"env": True}})
    first = trained.mlx(*SWEEP, "--json").ok().json["experiments"]
    assert [one["outcome"] for one in first] == ["done", "done"]
    trained.mlx("exp", "apply", first[0]["name"]).ok()
    again = trained.mlx("repro", "--json").ok().json["stages"]
    assert {one["outcome"] for one in again} == {"unchanged"}


def test_records_name_the_experiment(trained: Project) -> None:
    trained.mlx("exp", "run", "-S", "train.lr=0.7", "-n", "mine", "--apply").ok()
    assert "experiment mine" in trained.mlx("lineage", "model").ok().stdout
    told = trained.mlx("lineage", "model", "--json").ok().json
    assert "mine" in {one["run"].get("experiment") for one in told["producers"] if one["run"]}


def test_submodules_are_told_of_once(trained: Project, tmp_path: Path) -> None:
    other = trained.twin("other")
    allow = ("-c", "protocol.file.allow=always")
    trained.git(*allow, "submodule", "--quiet", "add", str(other.root), "lib")
    trained.git("commit", "-qm", "lib")
    result = trained.mlx(*SWEEP).ok()
    assert result.stderr.count("submodules: lib") == 1
    _change(trained, "train", deps=["clean.csv", "lib/params.yaml"])
    refused = trained.mlx(*SWEEP)
    assert refused.code == 1, str(refused)
    assert "in the submodule lib" in refused.stderr
    assert "--copy-paths lib" in refused.stderr


@pytest.fixture
def opened() -> Iterator[list[Terminal]]:
    found: list[Terminal] = []
    yield found
    for one in found:
        one.close()


def test_a_run_at_a_terminal_has_its_metric_in_its_line(
    trained: Project, opened: list[Terminal]
) -> None:
    trained.write("mlx.yaml", "leaderboard: {metric: loss}\n")
    write = 'echo \'{"loss": 0.25, "n": 1}\' > live.json; '
    gate = _hold(trained, write, metrics=[{"live.json": {"cache": False}}])
    terminal = Terminal(trained, *SWEEP)
    opened.append(terminal)
    terminal.wait_for("loss ↓ 0.25")
    assert re.search(r"running +\S+ +[\d.]+ s  lr=0\.2  train  loss ↓ 0\.25", terminal.text)
    (gate / "go").touch()
    assert terminal.end() == 0
    assert "2 done" in terminal.text
    assert "best" not in terminal.text, "both are as good"


def test_the_best_is_named_where_it_is_clear(trained: Project) -> None:
    trained.write(
        "make.py",
        "import json\nrate = float(open('model').read().split('lr: ')[1].split()[0])\n"
        "json.dump({'accuracy': rate, 'n': 3}, open('metrics.json', 'w'))\n",
    )
    _change(trained, "evaluate", cmd="python make.py", deps=["model", "make.py"])
    result = trained.mlx(*SWEEP).ok()
    best = re.search(r"^best accuracy: 0\.3, (\S+)$", result.stdout, re.MULTILINE)
    assert best, result.stdout
    assert f"mlx exp apply {best[1]}" in result.stderr
    assert re.search(r"2 done in [\d.]+ s, [\d.]+ s a run", result.stdout)
    assert json.loads(trained.git("show", f"{_commit(trained, best[1])}:metrics.json").stdout) == {
        "accuracy": 0.3,
        "n": 3,
    }


def _commit(project: Project, name: str) -> str:
    listed = project.git("for-each-ref", "--format=%(objectname)", f"refs/exps/*/*/{name}").stdout
    return listed.strip()

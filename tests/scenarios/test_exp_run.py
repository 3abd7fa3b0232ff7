"""Experiments are run beside the user's files, several at once, and whatever happens to them."""

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.support.long import sampled
from tests.support.processes import Running, wait_for
from tests.support.project import Project

SWEEP = ("--sweep", "train.lr=0.2,0.3,0.4")
Json = dict[str, Any]


def _run(project: Project, *args: str, code: int = 0, cwd: str = ".") -> list[Json]:
    result = project.mlx("exp", "run", "--json", *args, cwd=cwd)
    assert result.code == code, str(result)
    found: list[Json] = result.json["experiments"]
    assert result.json["ok"] == (code == 0)
    assert result.json["failed"] == sum(one["outcome"] == "failed" for one in found)
    return found


def _outcomes(found: list[Json]) -> list[str]:
    return [one["outcome"] for one in found]


def _tree(project: Project, commit: str) -> str:
    return project.git("rev-parse", f"{commit}^{{tree}}").stdout


def _assert_nothing_left(project: Project) -> None:
    """No process, worktree, branch or stash; the references are experiments and records."""
    assert project.git("worktree", "list").stdout.count("\n") == 1
    assert not list((project.root / ".git").glob("worktrees/*"))
    assert not list(project.root.glob(".mlx/exps/*/trees/*"))
    assert not [one.pid for one in psutil.process_iter() if _is_of(one, project)]
    refs = project.git("for-each-ref", "--format=%(refname)").stdout.split()
    assert {ref.split("/")[1] for ref in refs} <= {"heads", "exps", "mlx"}


def _is_of(process: psutil.Process, project: Project) -> bool:
    try:
        place = process.environ().get("MLX_EXPERIMENT", "")
    except psutil.Error:
        return False
    return place.startswith(str(project.root)) and process.status() != psutil.STATUS_ZOMBIE


def _change(project: Project, *changes: tuple[str, str]) -> None:
    """Change `dvc.yaml`, and commit."""
    text = project.read("dvc.yaml")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    project.write("dvc.yaml", text)
    project.git("commit", "-qam", "change")


def _by_hand(project: Project, found: Json, folder: Path) -> str:
    """The tree that a plain clone and `mlx repro` make of an experiment's parameters."""
    clone = Project(folder, project.tools)
    project.git("clone", "-q", "--no-local", str(project.root), str(folder))
    clone.dvc("config", "--local", "cache.dir", str(project.root / ".dvc" / "cache")).ok()
    clone.mlx("checkout").ok()
    clone.write("params.yaml", project.git("show", f"{found['commit']}:params.yaml").stdout)
    clone.mlx("repro", "--no-run-cache").ok()
    clone.git("add", "-A")
    return clone.git("write-tree").stdout


def test_each_result_is_what_a_plain_run_gives(trained: Project, tmp_path: Path) -> None:
    found = _run(trained, *SWEEP, "-j", "2")
    assert _outcomes(found) == ["done"] * 3
    for number, one in enumerate(found):
        assert _tree(trained, one["commit"]) == _by_hand(trained, one, tmp_path / str(number))
        assert one["params"] == {"params.yaml": {"train.lr": 0.2 + number / 10}} or number == 1
        assert one["metrics"]["metrics.json"]["accuracy"] == 0.75
        assert one["stages"] == {"train": "ran", "evaluate": "ran"}
    _assert_nothing_left(trained)


def test_the_users_files_are_left_alone(trained: Project) -> None:
    trained.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch hooked\n", 0o755)
    trained.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n", 0o755)
    trained.write("params.yaml", "train:\n  lr: 0.5\nseed: 8\n")
    trained.write("staged.txt", "x")
    trained.git("add", "staged.txt")
    trained.write("new.txt", "x")
    before = trained.git("status", "--porcelain", "--branch").stdout
    index = (trained.root / ".git" / "index").read_bytes()
    found = _run(trained, "-S", "train.lr=0.7")
    assert (trained.root / ".git" / "index").read_bytes() == index
    assert trained.git("status", "--porcelain", "--branch").stdout == before
    assert not (trained.root / "hooked").exists()
    commit = found[0]["commit"]
    assert trained.git("show", f"{commit}:params.yaml").stdout == "train:\n  lr: 0.7\nseed: 8\n"
    listed = trained.git("ls-tree", "--name-only", commit).stdout.split()
    assert "staged.txt" in listed
    assert "new.txt" not in listed
    _assert_nothing_left(trained)


def test_the_same_sweep_again_runs_nothing_and_more_of_it_only_the_rest(trained: Project) -> None:
    first = _run(trained, *SWEEP)
    again = _run(trained, *SWEEP)
    assert _outcomes(again) == ["skipped"] * 3
    assert [(one["name"], one["commit"]) for one in again] == [
        (one["name"], one["commit"]) for one in first
    ]
    more = _run(trained, "--sweep", "train.lr=0.2,0.9")
    assert _outcomes(more) == ["skipped", "done"]
    forced = _run(trained, *SWEEP, "-f")
    assert _outcomes(forced) == ["done"] * 3
    assert [one["name"] for one in forced] == [one["name"] for one in first]


def test_a_name_is_for_one_result(trained: Project) -> None:
    first = _run(trained, "-n", "mine", "-S", "train.lr=0.2", "-m", "about it")
    message = trained.git("log", "-1", "--format=%s", first[0]["commit"]).stdout
    assert message == "about it\n"
    refused = trained.mlx("exp", "run", "-n", "mine", "-S", "train.lr=0.3")
    assert refused.code == 2
    assert "there is an experiment 'mine' already" in refused.stderr
    assert _outcomes(_run(trained, "-n", "mine", "-S", "train.lr=0.2")) == ["skipped"]
    replaced = _run(trained, "-n", "mine", "-S", "train.lr=0.3", "-f")
    assert replaced[0]["commit"] != first[0]["commit"]
    several = _run(trained, "-n", "mine", *SWEEP)
    assert [one["name"] for one in several] == ["mine-1", "mine-2", "mine-3"]


def test_a_failing_run_does_not_stop_the_others(trained: Project) -> None:
    failing = "if grep -q 0.3 params.yaml; then echo oh no; false; fi"
    _change(trained, ("echo training;", f"{failing} &&"))
    result = trained.mlx("exp", "run", *SWEEP)
    assert result.code == 1
    assert "2 done, 1 failed" in result.stdout
    assert "| oh no" in result.stderr
    log = next(trained.root.glob(".mlx/exps/*/runs/*.log"))
    assert "oh no" in log.read_text()
    assert str(log.relative_to(trained.root)) in result.stderr
    found = _run(trained, "--continue", code=1)
    assert sorted(_outcomes(found)) == ["failed", "skipped", "skipped"]
    assert found[1]["log"] == str(log)
    assert "exit code 1" in found[1]["error"]
    _assert_nothing_left(trained)


def _slow(project: Project) -> Path:
    """Let training wait for a file outside of the project; the folder of such files."""
    gate = project.root.parent / "gate"
    gate.mkdir()
    wait = f"touch {gate}/begun-$DVC_EXP_NAME; while [ ! -e {gate}/go ]; do sleep 0.01; done"
    _change(project, ("echo training", wait))
    return gate


@pytest.mark.parametrize("how", sampled(["parent", "stage", "interrupt", "run", "terminate"], 2))
def test_what_is_stopped_goes_on(trained: Project, how: str, tmp_path: Path) -> None:
    gate = _slow(trained)
    sweep = Running.mlx(trained, "exp", "run", "--json", *SWEEP, "-j", "2")
    wait_for(lambda: len(list(gate.glob("begun-*"))) == 2 or sweep.ends_within(0), "two runs")
    assert len(list(gate.glob("begun-*"))) == 2, str(sweep.finish())
    runs = sweep.tree()[1:]
    own = [one for one in runs if one.ppid() == sweep.process.pid]
    if how == "parent":
        sweep.kill(whole_tree=False)
    elif how == "run":
        own[0].kill()
        (gate / "go").touch()
    elif how == "stage":
        next(one for one in runs if one.ppid() == own[0].pid).kill()
        (gate / "go").touch()
    else:
        sweep.process.send_signal(signal.SIGINT if how == "interrupt" else signal.SIGTERM)
    if how != "parent":
        result = sweep.finish()
        assert result.code == (130 if how in ("interrupt", "terminate") else 1), str(result)
        if how == "interrupt":
            assert _outcomes(result.json["experiments"]) == ["stopped"] * 3
            assert "mlx exp run --continue" in result.stderr or not result.stderr
        assert not list(trained.root.glob(".mlx/exps/*/trees/*"))
    (gate / "go").touch()
    found = _run(trained, "--continue", "-j", "2")
    assert len(found) == 3
    assert set(_outcomes(found)) <= {"done", "skipped"}
    assert _tree(trained, found[0]["commit"]) == _by_hand(trained, found[0], tmp_path / "clone")
    _assert_nothing_left(trained)


def test_two_sweeps_at_once_prepare_once(training: Project) -> None:
    out = training.root.parent / "out"
    out.mkdir()
    wait = f"echo . >> {out}/ran; while [ ! -e {out}/go ]; do sleep 0.01; done"
    _change(training, ("cmd: tr", f"cmd: {wait}; tr"))
    one = Running.mlx(training, "exp", "run", "--sweep", "train.lr=0.2,0.3", "-j", "2")
    other = Running.mlx(training, "exp", "run", "--sweep", "train.lr=0.4,0.5", "-j", "2")
    other.says("waiting for stage 'prep'")
    one.says("waiting for stage 'prep'")
    (out / "go").touch()
    for sweep in (one, other):
        result = sweep.finish()
        assert result.code == 0, str(result)
        assert "2 done" in result.stdout
    assert (out / "ran").read_text().count(".") == 1
    _assert_nothing_left(training)


def test_when_the_one_who_prepares_fails_the_next_does(training: Project) -> None:
    out = training.root.parent / "out"
    out.mkdir()
    command = f"echo . >> {out}/ran; [ $(wc -l < {out}/ran) -gt 1 ]"
    _change(training, ("cmd: tr", f"cmd: {command} && tr"))
    found = _run(training, *SWEEP, "-j", "3", code=1)
    assert sorted(_outcomes(found)) == ["done", "done", "failed"]
    assert (out / "ran").read_text().count(".") == 2


def test_what_git_does_not_have_is_named(trained: Project) -> None:
    trained.git("rm", "-q", "--cached", "data.csv")
    refused = trained.mlx("exp", "run", "-S", "train.lr=0.2")
    assert refused.code == 1
    assert "stage 'prep': 'data.csv' is not tracked by Git" in refused.stderr
    assert "--copy-paths data.csv" in refused.stderr
    _run(trained, "-S", "train.lr=0.2", "--copy-paths", "data.csv")
    trained.git("rm", "-q", "--cached", "dvc.yaml")
    refused = trained.mlx("exp", "run", "-S", "train.lr=0.2")
    assert refused.code == 4
    assert "dvc.yaml is not tracked by Git" in refused.stderr


def test_data_that_are_gone_are_named_or_fetched(training: Project) -> None:
    training.git("rm", "-q", "--cached", "data.csv")
    training.dvc("add", "data.csv").ok()
    training.dvc("remote", "add", "-d", "store", "../../store").ok()  # seen from .dvc
    training.dvc("push").ok()
    training.tools.commit(training.root, "data")
    training.sh("rm -rf .dvc/cache data.csv")
    refused = training.mlx("exp", "run", "-S", "train.lr=0.2")
    assert refused.code == 1
    assert "'data.csv' is missing" in refused.stderr
    assert "mlx pull data.csv.dvc" in refused.stderr
    assert _outcomes(_run(training, "-S", "train.lr=0.2", "--pull")) == ["done"]


def test_only_what_is_read_is_laid_out(trained: Project) -> None:
    command = "ls > seen; cat"
    _change(
        trained, ("echo training; cat", command), ("- model\n  ev", "- model\n    - seen\n  ev")
    )
    trained.write("big.bin", "x" * 1000)
    trained.dvc("add", "big.bin").ok()
    trained.git("add", "-A")
    _run(trained, "train", "-S", "train.lr=0.2", "--apply", code=0)
    assert "clean.csv" in trained.read("seen")
    assert "big.bin\n" not in trained.read("seen")


def test_bad_sweeps_are_refused_before_anything_is_made(trained: Project) -> None:
    for args, said in (
        (("--sweep", "train.lr="), "no runs"),
        (("--sweep", "train.lr=0..1000000"), "1,000,001 runs, more than 1,000"),
        (("--sweep", "train.lr=1,2", "--limit", "1"), "2 runs, more than 1"),
        (("--sweep", "train.nope=1,2"), "Could not override 'train.nope'"),
        (("-S", "nope.yaml:a=1"), "no parameter file nope.yaml"),
        (("nope",), "no stage, file or output 'nope'"),
        (("-n", "a b"), "cannot name"),
        (("--continue",), "no sweep to go on with"),
        (("--apply", *SWEEP), "these are 3"),
        (("--copy-paths", "nope"), "there is no nope"),
        (("--copy-paths", "/etc"), "not inside the repository"),
    ):
        result = trained.mlx("exp", "run", *args)
        assert result.code == 2, str(result)
        assert said in result.stderr
        assert "hint:" in result.stderr
    assert not list(trained.root.glob(".mlx/exps/*/plan.json"))
    listed = trained.mlx("exp", "run", "--dry", *SWEEP).ok().stdout
    assert listed.count("lr=0.") == 3


def test_runs_are_on_record_and_know_their_names(trained: Project) -> None:
    who = "echo $DVC_EXP_NAME $DVC_EXP_BASELINE_REV > who; cat"
    _change(trained, ("echo training; cat", who), ("- model\n  ev", "- model\n    - who\n  ev"))
    made = _run(trained, "-S", "train.lr=0.2", "-n", "me", "--apply")[0]
    head = trained.git("rev-parse", "HEAD").stdout.strip()
    assert trained.read("who").split() == ["me", head]
    lineage = trained.mlx("lineage", "model", "--json").ok().json
    runs = [one["run"] for one in lineage["producers"] if one["run"]]
    assert head in [one["commit"] for one in runs]
    assert made["baseline"] == head
    assert json.loads(trained.mlx("repro", "--json").ok().stdout)["ok"]


def test_a_folder_that_is_not_there_in_git_and_a_clone_without_exps(trained: Project) -> None:
    shutil.rmtree(trained.root / ".mlx")
    os.makedirs(trained.root / "deep")
    found = _run(trained, "../dvc.yaml", "-S", "../params.yaml:train.lr=0.2", cwd="deep")
    assert _outcomes(found) == ["done"]

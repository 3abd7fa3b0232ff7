"""A stage fails: what was good stays, what it wrote is kept, and the way to the fix is short."""

import os

import pytest
from tests.scenarios.conftest import Outcomes
from tests.support.project import Project

GOOD = {
    "prep": {"cmd": "cat in > clean", "deps": ["in"], "outs": ["clean"]},
    "train": {"cmd": "cat clean > model", "deps": ["clean"], "outs": ["model"]},
    "other": {"cmd": "cat in > other", "deps": ["in"], "outs": ["other"]},
}
BAD = "echo epoch 1; echo half > model; echo 'no such column: age' >&2; exit 3"


@pytest.fixture
def broken(project: Project) -> Project:
    """A pipeline that ran; then its data and its training are changed, for the worse."""
    project.write("in", "old\n")
    project.pipeline(GOOD)
    project.mlx("repro").ok()
    project.tools.commit(project.root, "good")
    project.write("in", "new\n")
    project.pipeline({**GOOD, "train": {**GOOD["train"], "cmd": BAD}})
    return project


def test_what_is_told(broken: Project) -> None:
    result = broken.mlx("repro", "train")
    assert result.code == 1
    assert result.stdout.splitlines()[1].startswith("failed      train")
    assert "1 ran, 1 failed in" in result.stdout
    error = result.stderr
    assert "error: dvc.yaml:8: stage 'train': its command failed with exit code 3" in error
    assert "  | epoch 1\n  | no such column: age\n" in error
    assert ".mlx/logs/train.log" in error and "mlx repro -s train" in error
    assert "kept in .mlx/partial/train" in error
    assert "Traceback" not in error


def test_earlier_results_stay(broken: Project) -> None:
    broken.mlx("repro", "train")
    assert broken.read("model") == "old\n"
    assert broken.read("clean") == "new\n"
    assert broken.read(".mlx/partial/train/model") == "half\n"
    assert broken.mlx("logs", "train").ok().stdout.endswith("epoch 1\nno such column: age\n")
    assert broken.mlx("logs", "train", "-n", "1").ok().stdout == "no such column: age\n"


def test_then_the_fix(broken: Project, repro: Outcomes) -> None:
    repro(broken, "train", code=1)
    told = broken.mlx("status", "--json").ok().json["stages"]
    assert {one["stage"]: one["state"] for one in told} == {
        "prep": "fresh", "train": "stale", "other": "stale"
    }  # fmt: skip
    broken.pipeline(GOOD)
    assert repro(broken) == {"prep": "unchanged", "train": "ran", "other": "ran"}
    assert broken.read("model") == "new\n"
    assert broken.dvc("status", "--json").ok().json == {}


def test_the_failed_stage_alone(broken: Project, repro: Outcomes) -> None:
    repro(broken, "train", code=1)
    assert repro(broken, "-s", "train", code=1) == {"train": "failed"}


def test_keep_going(broken: Project, repro: Outcomes) -> None:
    found = repro(broken, "-k", code=1)
    assert found == {"prep": "ran", "train": "failed", "other": "ran"}
    assert broken.read("other") == "new\n"


def test_outputs_of_the_same_name_in_two_folders_are_both_kept(project: Project) -> None:
    stage = {"outs": ["a/m.json", "b/m.json"], "cmd": "mkdir -p a b"}
    project.pipeline(
        {"s": {**stage, "cmd": "mkdir -p a b; echo A > a/m.json; echo B > b/m.json; exit 1"}}
    )
    assert project.mlx("repro").code == 1
    kept = [path for path in (project.root / ".mlx/partial").rglob("*") if path.is_file()]
    assert sorted(path.read_text() for path in kept) == ["A\n", "B\n"]


def test_folders_that_fail_are_kept_whole(project: Project) -> None:
    project.pipeline({"s": {"cmd": "mkdir -p d/n; echo 1 > d/n/x; exit 1", "outs": ["d"]}})
    assert project.mlx("repro").code == 1
    assert not os.path.exists(project.root / "d")
    assert project.read(".mlx/partial/s/d/n/x") == "1\n"


def test_earlier_results_stay_where_the_others_cannot_be_kept(project: Project) -> None:
    """The place for what it wrote is taken: that is no reason to lose what was good."""
    stage = {"outs": ["a"], "metrics": [{"m.json": {"cache": False}}]}
    project.pipeline({"s": {**stage, "cmd": "echo 1 > a; echo 1 > m.json"}})
    project.mlx("repro").ok()
    project.write(".mlx/partial", "in the way\n")
    project.pipeline({"s": {**stage, "cmd": "echo half > a; exit 1"}})
    result = project.mlx("repro")
    assert result.code == 1
    assert "failed with exit code 1" in result.stderr, "the stage's failure is what counts"
    assert (project.read("a"), project.read("m.json")) == ("1\n", "1\n")


def test_a_file_that_becomes_a_folder_between_two_failures(project: Project) -> None:
    project.pipeline({"s": {"cmd": "echo 1 > b; echo 1 > a", "outs": ["b", "a"]}})
    project.mlx("repro").ok()
    project.pipeline({"s": {"cmd": "echo half > a; exit 1", "outs": ["b", "a"]}})
    assert project.mlx("repro").code == 1
    project.sh("rm a")
    cmd = "mkdir a; echo more > a/x; exit 1"
    project.pipeline({"s": {"cmd": cmd, "outs": ["b", "a/x"]}})
    assert project.mlx("repro").code == 1
    assert project.read("b") == "1\n"
    assert project.read(".mlx/partial/s/a/x") == "more\n"


def test_a_second_failure_replaces_what_the_first_left(project: Project) -> None:
    for word in ("first", "second"):
        project.pipeline({"s": {"cmd": f"echo {word} > o-{word}; exit 1", "outs": [f"o-{word}"]}})
        assert project.mlx("repro").code == 1
        assert os.listdir(project.root / ".mlx/partial/s") == [f"o-{word}"]


def test_a_checkpoint_is_what_the_next_run_goes_on_from(project: Project) -> None:
    cmd = "echo epoch >> check; test $(wc -l < check) -ge 3"
    project.pipeline({"s": {"cmd": cmd, "outs": [{"check": {"persist": True}}]}})
    assert [project.mlx("repro").code for _ in range(3)] == [1, 1, 0]
    assert project.read("check") == "epoch\n" * 3


def test_a_command_ended_by_a_signal(project: Project) -> None:
    project.pipeline({"s": {"cmd": "kill -9 $$", "outs": ["o"]}})
    result = project.mlx("repro")
    assert result.code == 1
    assert "SIGKILL (out of memory?)" in result.stderr


def test_a_command_that_ends_well_and_writes_nothing(project: Project) -> None:
    project.pipeline({"s": {"cmd": "true", "outs": ["o"]}})
    result = project.mlx("repro")
    assert result.code == 1
    assert "dvc.yaml:2: stage 's': output 'o' does not exist" in result.stderr


def test_one_of_several_commands_fails(project: Project) -> None:
    project.pipeline({"s": {"cmd": ["echo 1 > o", "false", "echo 2 > o"], "outs": ["o"]}})
    result = project.mlx("repro")
    assert "exit code 1: false" in result.stderr
    assert project.read(".mlx/partial/s/o") == "1\n"


def test_logs_that_are_not_there(broken: Project) -> None:
    broken.sh("rm -rf .mlx/logs")
    result = broken.mlx("logs", "train")
    assert result.code == 1
    assert "has not run here" in result.stderr and "mlx repro -f -s train" in result.stderr
    assert "no stage has run here yet" in broken.mlx("logs").ok().stderr

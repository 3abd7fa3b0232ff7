"""A day's work: change something, ask what is stale and why, bring it up to date."""

import pytest
from tests.scenarios.conftest import Outcomes
from tests.support.project import Project


def test_the_first_run(training: Project) -> None:
    result = training.mlx("repro").ok()
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [
        ["ran", "prep"], ["ran", "train"], ["ran", "evaluate"]
    ]  # fmt: skip
    assert all("new stage" in line for line in lines[:3])
    assert lines[3].startswith("3 ran in ")
    assert training.read(".gitignore") == "/clean.csv\n/model\n"
    shown = training.git("status", "--short").stdout
    assert shown == "?? .gitignore\n?? dvc.lock\n?? metrics.json\n"
    training.sh(result.stderr.partition("to record the result: ")[2])
    shown = training.git("status", "--short").stdout
    assert shown == "A  .gitignore\nA  dvc.lock\nA  metrics.json\n", "also what Git keeps"


def test_nothing_to_do(trained: Project) -> None:
    result = trained.mlx("repro").ok()
    assert result.stdout.startswith("nothing to do: 3 stages up to date")
    assert result.stderr == ""
    assert trained.git("status", "--short").stdout == ""
    assert trained.mlx("status").ok().stdout == "up to date: 3 stages\n"


def test_outputs_that_are_not_here(trained: Project) -> None:
    (trained.root / "model").unlink()
    result = trained.mlx("status").ok()
    assert "output missing: model" in result.stdout
    assert "mlx pull" in result.stderr


def test_a_parameter_is_changed(trained: Project, repro: Outcomes) -> None:
    trained.write("params.yaml", "train:\n  lr: 0.2\nseed: 7\n")
    shown = trained.mlx("status").ok().stdout.splitlines()
    assert shown[0].split() == ["stale", "train", "parameter", "train.lr", "(0.1", "->", "0.2)"]
    assert shown[1].split() == ["stale", "evaluate", "after", "train"]
    assert shown[2] == "2 of 3 stages not up to date"
    assert "parameter train.lr (0.1 -> 0.2)" in trained.mlx("why", "train").ok().stdout
    assert "after train" in trained.mlx("why", "evaluate").ok().stdout
    assert repro(trained) == {"prep": "unchanged", "train": "ran", "evaluate": "ran"}
    told = trained.mlx("why", "train").ok().stdout
    assert "up to date" in told and "parameter train.lr (0.1 -> 0.2)" in told
    assert repro(trained) == {"prep": "unchanged", "train": "unchanged", "evaluate": "unchanged"}


def test_a_parameter_that_no_stage_uses(trained: Project) -> None:
    trained.write("params.yaml", "train:\n  lr: 0.1\nseed: 8\n")
    assert trained.mlx("repro").ok().stdout.startswith("nothing to do")


def test_back_to_an_earlier_value_takes_the_earlier_result(
    trained: Project, repro: Outcomes
) -> None:
    trained.write("params.yaml", "train:\n  lr: 0.2\n")
    repro(trained)
    trained.write("params.yaml", "train:\n  lr: 0.1\nseed: 7\n")
    assert repro(trained) == {"prep": "unchanged", "train": "restored", "evaluate": "restored"}
    assert trained.git("status", "--short").stdout == "", "all as it was committed"


def test_another_branch(trained: Project, repro: Outcomes) -> None:
    trained.git("checkout", "-q", "-b", "try")
    trained.write("params.yaml", "train:\n  lr: 0.3\n")
    repro(trained)
    trained.tools.commit(trained.root, "try 0.3")
    trained.git("checkout", "-q", "main")
    assert repro(trained) == {"prep": "unchanged", "train": "restored", "evaluate": "unchanged"}
    assert "lr: 0.1" in trained.read("model")
    assert trained.git("status", "--short").stdout == ""


def test_a_command_is_changed_without_another_result(trained: Project, repro: Outcomes) -> None:
    """The stage runs; what needs it does not."""
    trained.sh("sed -i 's/tr a-z/tr  a-z/' dvc.yaml")
    assert repro(trained) == {"prep": "ran", "train": "unchanged", "evaluate": "unchanged"}


def test_an_output_is_lost_or_edited(trained: Project, repro: Outcomes) -> None:
    before = trained.read("model")
    trained.sh("rm model")
    assert "output missing: model" in trained.mlx("status").ok().stdout
    assert repro(trained)["train"] == "restored"
    assert trained.read("model") == before
    trained.sh("echo oops >> model")
    assert "output changed: model" in trained.mlx("status").ok().stdout
    repro(trained)
    assert trained.read("model") == before


def test_a_stage_is_added_and_another_removed(trained: Project, repro: Outcomes) -> None:
    trained.dvc(
        "stage", "add", "-q", "-n", "report", "-d", "metrics.json", "-o", "report.txt",
        "cp metrics.json report.txt",
    ).ok()  # fmt: skip
    assert repro(trained)["report"] == "ran"
    trained.dvc("remove", "report").ok()
    assert "report" not in repro(trained)
    assert trained.mlx("status").ok().stdout == "up to date: 3 stages\n"


def test_what_a_dry_run_says_is_what_happens(trained: Project, repro: Outcomes) -> None:
    trained.write("params.yaml", "train:\n  lr: 0.2\n")
    lock = trained.read("dvc.lock")
    dry = repro(trained, "--dry")
    assert trained.read("dvc.lock") == lock
    assert "lr: 0.1" in trained.read("model")
    assert repro(trained) == dry


def test_only_what_a_target_needs(training: Project, repro: Outcomes) -> None:
    assert repro(training, "train") == {"prep": "ran", "train": "ran"}
    assert not (training.root / "metrics.json").exists()


@pytest.mark.parametrize("target", ["train", "dvc.yaml:train", "model"])
def test_status_of_one_stage_is_that_of_the_whole(target: str, trained: Project) -> None:
    """`mlx status train` never says "up to date" of what `mlx repro train` would run."""
    trained.write("data.csv", "c,d\n")
    whole = {one["stage"]: one for one in trained.mlx("status", "--json").ok().json["stages"]}
    result = trained.mlx("status", target, "--json", "--check")
    assert result.json["stages"] == [whole["train"]]
    assert result.code == 3


def test_gitignored_while_it_is_new_already(trained: Project) -> None:
    """What Git would otherwise pick up is ignored as soon as it is there."""
    assert "model" not in trained.git("ls-files").stdout.split()
    assert "metrics.json" in trained.git("ls-files").stdout.split(), "small results are Git's"


def test_the_lock_file_is_the_same_on_every_machine(trained: Project, repro: Outcomes) -> None:
    """A colleague clones, runs, and has nothing to commit."""
    trained.git("clone", "-q", ".", "../colleague")
    other = Project(trained.root.parent / "colleague", trained.tools)
    assert repro(other) == {"prep": "ran", "train": "ran", "evaluate": "unchanged"}
    assert other.git("status", "--short").stdout == ""
    assert other.read("model") == trained.read("model")

"""Verbs that mlx hands to DVC: the same arguments, streams, folder and results."""

import pytest
from tests.scenarios.conftest import Outcomes
from tests.support.commands import dvc_argv, run
from tests.support.project import Project


def test_add_then_repro(project: Project, repro: Outcomes) -> None:
    project.write("data.csv", "1\n")
    project.mlx("add", "data.csv").ok()
    project.mlx(
        "stage", "add", "-n", "use", "-d", "data.csv", "-o", "used", "cat data.csv > used"
    ).ok()
    assert repro(project) == {"data.csv.dvc": "unchanged", "use": "ran"}
    assert project.read("used") == "1\n"


def test_options_of_a_command_behind_the_verb(project: Project) -> None:
    """`-q`, `--json` and the like belong to the command that is added."""
    project.mlx(
        "stage", "add", "-n", "s", "-o", "o", "tool", "-q", "--json", "-C", "x", "--", "-y"
    ).ok()
    by_dvc = project.twin("by-dvc")
    by_dvc.sh("git checkout -q . && rm -f dvc.yaml")
    by_dvc.dvc(
        "stage", "add", "-n", "s", "-o", "o", "tool", "-q", "--json", "-C", "x", "--", "-y"
    ).ok()
    assert project.read("dvc.yaml") == by_dvc.read("dvc.yaml")


def test_a_name_that_begins_with_a_dash(project: Project) -> None:
    project.write("-odd.csv", "1\n")
    project.mlx("add", "--", "-odd.csv").ok()
    assert (project.root / "-odd.csv.dvc").exists()


def test_the_folder_is_the_one_given(project: Project) -> None:
    project.write("sub/data.csv", "1\n")
    project.tools.mlx(project.root.parent, "-C", "project/sub", "add", "data.csv").ok()
    assert (project.root / "sub/data.csv.dvc").exists()
    assert project.mlx("root", cwd="sub").ok().stdout == "..\n"


def test_json_comes_through(project: Project) -> None:
    assert project.mlx("data", "status", "--json").ok().json == {}
    assert project.mlx("exp", "show", "--json").ok().json


@pytest.mark.parametrize(("args", "code"), [
    ("add nothing-there", 1), ("add --nonsense", 2), ("remote nonsense", 2), ("root", 4),
])  # fmt: skip
def test_exit_codes_are_ours(args: str, code: int, project: Project) -> None:
    if code == 4:
        project.sh("rm -rf .dvc")
    result = project.mlx(*args.split())
    assert result.code == code, str(result)


def test_what_dvc_says_is_what_is_said(project: Project) -> None:
    by_mlx = project.mlx("remove", "nothing-there")
    by_dvc = run(dvc_argv("remove", "nothing-there"), project.root, project.tools.env)
    assert (by_mlx.stdout, by_mlx.stderr) == (by_dvc.stdout, by_dvc.stderr)


def test_an_experiment_is_saved_by_dvc(trained: Project) -> None:
    trained.git("config", "user.name", "Tester")
    trained.git("config", "user.email", "tester@example.org")
    trained.write("params.yaml", "train:\n  lr: 0.5\nseed: 7\n")
    trained.mlx("repro").ok()
    trained.mlx("exp", "save", "-n", "by-hand").ok()
    assert trained.mlx("exp", "list", "--name-only").ok().stdout == "by-hand\n"

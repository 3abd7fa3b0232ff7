"""Plots as dvc gives them to other programs."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.support.long import sampled
from tests.support.plotted import plotted
from tests.support.project import Project
from tests.support.tools import Tools


@pytest.fixture(scope="module")
def project(tools: Tools, template: Any, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return plotted(Project.copy(template, tmp_path_factory.mktemp("plots") / "p", tools))


ASKED = [
    "plots show",
    "plots show loss.tsv",
    "plots show data/loss.csv",
    "plots diff two workspace one",
    "plots diff one two --targets absent.csv data/rubbish.csv",
    "plots show data/loss.csv -x step -y val --title T --x-label X --y-label Y --split",
    "plots show loss.tsv data/more.csv -t scatter",
    "plots show data",
    "plots show top/dvc.yaml::both",
    "plots show b",
    "plots show images/1.png nested.json",
    "plots diff",
    "plots show absent-too.csv",
    "plots show --split",
    "plots show data/wrong.csv --no-header",
    "plots diff one",
    "plots diff one two",
    "plots diff one two --targets both loss.tsv images",
]


@pytest.mark.parametrize("args", sampled(ASKED, 3))
def test_same_json_as_dvc(args: str, project: Project) -> None:
    words = args.split()
    expected = _sorted(project.dvc(*words, "--json").ok().json)
    actual = _sorted(project.mlx(*words, "--json").ok().json)
    for name, entries in expected.get("data", {}).items():
        assert actual["data"].get(name) == entries, name
    assert actual == expected


def _sorted(document: Any) -> Any:
    """Errors are listed in the order in which threads found them; NaN equals nothing."""
    for error in document.get("errors", ()):
        error["msg"] = " ".join(error["msg"].split())
    if "errors" in document:
        document["errors"].sort(key=lambda one: [str(value) for value in one.values()])
    return document


@pytest.mark.parametrize("name", sampled(["both", "loss.tsv", "own", "matrix"], 4))
def test_the_same_vega_lite_document(name: str, project: Project) -> None:
    expected = project.dvc("plots", "show", name, "--show-vega").ok().json
    assert project.mlx("plots", "show", name, "--show-vega").ok().json == expected


def test_data_come_from_the_cache_where_they_are_not_laid_out(
    project: Project, new_project: Callable[..., Project]
) -> None:
    twin = project.twin("bare")
    twin.sh("rm -r loss.tsv images bars.csv")
    expected = _sorted(twin.dvc("plots", "show", "--json", "-o", "x").ok().json)
    actual = _sorted(twin.mlx("plots", "show", "--json", "-o", "x").ok().json)
    assert actual == expected
    assert len(actual["data"]["loss.tsv"]) == 1


def test_an_experiment_by_its_name(project: Project) -> None:
    twin = project.twin("experiments")
    twin.git("config", "user.name", "someone")
    twin.git("config", "user.email", "someone@example.org")
    twin.dvc("exp", "save", "-n", "tried").ok()
    twin.git("checkout", "-q", "--", ".")
    expected = _sorted(twin.dvc("plots", "diff", "tried", "one", "--json").ok().json)
    assert _sorted(twin.mlx("plots", "diff", "tried", "one", "--json").ok().json) == expected


def test_from_a_folder_inside(project: Project) -> None:
    words = ("plots", "diff", "one", "--json", "--targets", "../data/more.csv")
    expected = project.dvc(*words, cwd="top").ok().json
    assert project.mlx(*words, cwd="top").ok().json == expected

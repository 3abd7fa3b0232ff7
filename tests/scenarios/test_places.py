"""Where one stands: subfolders, `-C`, pipelines in several folders, every form of target."""

import pytest
from tests.scenarios.conftest import Outcomes
from tests.support.project import Project


@pytest.fixture
def folders(project: Project) -> Project:
    """A pipeline at the root, one in a folder that needs it."""
    project.write("in", "1\n")
    project.pipeline({"make": {"cmd": "cat in > made", "deps": ["in"], "outs": ["made"]}})
    project.pipeline(
        {"use": {"cmd": "cat ../made > used", "deps": ["../made"], "outs": ["used"]}},
        "sub/dvc.yaml",
    )
    project.write("sub/deep/keep", "")
    return project


def test_the_pipeline_of_a_folder_brings_what_it_needs(folders: Project, repro: Outcomes) -> None:
    assert repro(folders, cwd="sub") == {"../dvc.yaml:make": "ran", "use": "ran"}
    assert folders.read("sub/used") == "1\n"
    assert folders.read("sub/.gitignore") == "/used\n"


def test_names_are_those_of_where_one_stands(folders: Project) -> None:
    for cwd, names in (
        (".", ["make", "sub/dvc.yaml:use"]),
        ("sub", ["../dvc.yaml:make", "use"]),
        ("sub/deep", ["../../dvc.yaml:make", "../dvc.yaml:use"]),
    ):
        shown = folders.mlx("status", "--json", cwd=cwd).ok().json
        assert [one["stage"] for one in shown["stages"]] == names
        for name in names:
            assert folders.mlx("why", name, "--json", cwd=cwd).ok().json["stage"] == name


def test_a_folder_without_a_pipeline(folders: Project, repro: Outcomes) -> None:
    result = folders.mlx("repro", cwd="sub/deep")
    assert result.code == 4
    assert "mlx repro -P" in result.stderr
    assert set(repro(folders, "-P", cwd="sub/deep").values()) == {"ran"}


def test_from_elsewhere(folders: Project) -> None:
    result = folders.tools.mlx(folders.root.parent, "-C", "project/sub", "repro", "use").ok()
    assert "ran         use" in result.stdout
    assert folders.tools.mlx(folders.root.parent, "-C", "project", "root").ok().stdout == ".\n"


@pytest.mark.parametrize("verb", [["status", "-q"], ["root"]], ids=" ".join)
def test_from_elsewhere_and_from_there(verb: list[str], folders: Project) -> None:
    """As with Git, each -C is seen from the one before it; an empty one changes nothing."""
    there = ["-C", str(folders.root.parent), "-C", "project", "-C", "", "-C", "sub"]
    assert folders.tools.mlx(folders.root, *there, *verb).ok()
    assert folders.tools.mlx(folders.root, "-C", "/", "-C", "sub", *verb).code == 2


@pytest.mark.parametrize("target", [
    "use", "dvc.yaml", "./dvc.yaml", "dvc.yaml:use", "../sub/dvc.yaml:use", "used", "./used",
    "../sub/used",
])  # fmt: skip
def test_every_way_to_name_a_stage(target: str, folders: Project) -> None:
    stages = folders.mlx("repro", "--dry", "--json", target, cwd="sub").ok().json["stages"]
    assert [one["stage"] for one in stages] == ["../dvc.yaml:make", "use"]


def test_a_misspelt_target_names_the_nearest(folders: Project) -> None:
    result = folders.mlx("repro", "mkae")
    assert result.code == 2
    assert "'mkae'" in result.stderr and "did you mean 'make'?" in result.stderr


def test_a_project_in_a_project_is_its_own(folders: Project, repro: Outcomes) -> None:
    folders.write("inner/keep", "")
    folders.mlx("init", cwd="inner").ok()
    folders.pipeline({"own": {"cmd": "echo 1 > own", "outs": ["own"]}}, "inner/dvc.yaml")
    assert list(repro(folders, "-P")) == ["make", "sub/dvc.yaml:use"]
    assert list(repro(folders, "-P", cwd="inner")) == ["own"]


def test_a_path_with_a_space_and_a_link_to_the_project(folders: Project, repro: Outcomes) -> None:
    folders.sh("mkdir '../my work'; ln -s ../project '../my work/link'")
    assert repro(folders, "make", cwd="../my work/link") == {"make": "ran"}
    assert repro(folders, "make") == {"make": "unchanged"}

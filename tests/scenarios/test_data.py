"""Data that no stage makes: added, imported, changed, missing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scenarios.conftest import Outcomes
from tests.support.project import Project
from tests.support.tools import Tools

USE = {"use": {"cmd": "cat data.csv > used", "deps": ["data.csv"], "outs": ["used"]}}


@pytest.fixture(scope="module")
def tracked_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tracked file and a stage that reads it, run and committed; copied, never changed."""
    project = Project.copy(template, tmp_path_factory.mktemp("tracked") / "project", tools)
    project.write("data.csv", "1\n")
    project.dvc("add", "data.csv").ok()
    project.pipeline(USE)
    project.mlx("repro").ok()
    project.tools.commit(project.root, "data")
    return project.root


@pytest.fixture
def tracked(tracked_once: Path, tools: Tools, tmp_path: Path) -> Project:
    """A tracked file and a stage that reads it, run and committed."""
    return Project.copy(tracked_once, tmp_path / "project", tools)


def test_tracked_data_is_not_in_git(tracked: Project) -> None:
    listed = tracked.git("ls-files").stdout.split()
    assert "data.csv.dvc" in listed and "data.csv" not in listed


def test_changed_data_is_recorded_and_used(tracked: Project, repro: Outcomes) -> None:
    tracked.write("data.csv", "2\n")
    shown = tracked.mlx("status").ok().stdout.splitlines()
    assert [line.split() for line in shown[:2]] == [
        ["stale", "use", "changed:", "data.csv"], ["modified", "data.csv"]
    ]  # fmt: skip
    assert shown[2] == "1 of 1 stage not up to date, 1 tracked path changed"
    assert repro(tracked) == {"data.csv.dvc": "ran", "use": "ran"}
    assert tracked.read("used") == "2\n"
    assert tracked.git("diff", "--name-only").stdout.split() == ["data.csv.dvc", "dvc.lock"]


def test_earlier_data_comes_back_with_its_commit(tracked: Project, repro: Outcomes) -> None:
    tracked.write("data.csv", "2\n")
    repro(tracked)
    tracked.tools.commit(tracked.root, "more data")
    tracked.git("checkout", "-q", "HEAD~1")
    tracked.dvc("checkout").ok()
    assert (tracked.read("data.csv"), tracked.read("used")) == ("1\n", "1\n")
    assert set(repro(tracked).values()) == {"unchanged"}


def test_missing_data_names_the_way_to_get_it(tracked: Project) -> None:
    tracked.git("clone", "-q", ".", "../clone")
    clone = Project(tracked.root.parent / "clone", tracked.tools)
    result = clone.mlx("repro")
    assert result.code == 1
    assert "data.csv.dvc: stage 'data.csv.dvc': 'data.csv' is missing" in result.stderr
    assert "mlx pull data.csv.dvc" in result.stderr


def test_data_in_a_remote(tracked: Project, repro: Outcomes) -> None:
    tracked.dvc("remote", "add", "-q", "-d", "store", "../store").ok()
    tracked.dvc("push", "-q").ok()
    tracked.tools.commit(tracked.root, "a remote")
    tracked.git("clone", "-q", ".", "../clone")
    clone = Project(tracked.root.parent / "clone", tracked.tools)
    assert set(repro(clone, "--pull").values()) == {"unchanged"}
    assert clone.read("used") == "1\n"
    clone.sh("rm -rf .dvc/cache data.csv used")
    clone.dvc("pull", "-q", "data.csv.dvc").ok()
    assert clone.read("data.csv") == "1\n"


def test_data_added_later_in_a_folder_of_data(tracked: Project, repro: Outcomes) -> None:
    """Where a rule hides every file of a kind, the file that tracks it is still seen."""
    tracked.write(".gitignore", tracked.read(".gitignore") + "*.csv\n")
    tracked.write("raw/a.csv", "1\n")
    repro(tracked)
    tracked.dvc("add", "raw/a.csv").ok()
    assert "raw/a.csv.dvc" in repro(tracked, "-P")
    tracked.write("raw/a.csv", "2\n")
    data = tracked.mlx("status", "--json").ok().json["data"]
    assert data == [{"path": "raw/a.csv", "state": "modified"}]


def test_a_frozen_stage(tracked: Project, repro: Outcomes) -> None:
    tracked.dvc("freeze", "use").ok()
    tracked.write("data.csv", "2\n")
    assert repro(tracked, "use") == {"use": "unchanged"}
    assert tracked.read("used") == "1\n"
    tracked.dvc("unfreeze", "use").ok()
    assert repro(tracked, "use") == {"data.csv.dvc": "ran", "use": "ran"}


@pytest.fixture
def imported(project: Project) -> Project:
    """A file brought in from elsewhere, and a stage that reads it."""
    (project.root.parent / "source.csv").write_text("1\n")
    project.dvc("import-url", "-q", str(project.root.parent / "source.csv"), "data.csv").ok()
    project.pipeline(USE)
    project.mlx("repro").ok()
    project.tools.commit(project.root, "imported")
    return project


def test_imported_data_stays_until_it_is_updated(imported: Project, repro: Outcomes) -> None:
    (imported.root.parent / "source.csv").write_text("22\n")
    assert set(repro(imported).values()) == {"unchanged"}
    assert imported.mlx("status", "--json").ok().json["clean"] is True
    imported.dvc("update", "-q", "data.csv.dvc").ok()
    assert repro(imported) == {"data.csv.dvc": "unchanged", "use": "ran"}
    assert imported.read("used") == "22\n"


def test_an_import_that_may_change_is_brought_in_anew(imported: Project, repro: Outcomes) -> None:
    imported.dvc("unfreeze", "data.csv.dvc").ok()
    assert set(repro(imported).values()) == {"unchanged"}
    (imported.root.parent / "source.csv").write_text("22\n")
    assert repro(imported) == {"data.csv.dvc": "ran", "use": "ran"}
    assert imported.read("used") == "22\n"
    assert imported.dvc("status", "--json").ok().json == {}


def test_imported_data_that_is_missing_names_the_way_to_get_it(imported: Project) -> None:
    imported.sh("rm -r data.csv .dvc/cache")
    result = imported.mlx("repro")
    assert result.code == 1
    assert "data.csv" in result.stderr and "hint:" in result.stderr, str(result)


def test_an_import_from_another_repository(
    new_project: Callable[[str], Project], repro: Outcomes
) -> None:
    library = new_project("library")
    library.write("words.txt", "one\n")
    library.dvc("add", "-q", "words.txt").ok()
    library.tools.commit(library.root, "words")
    project = new_project("reader")
    project.dvc("import", "-q", str(library.root), "words.txt").ok()
    project.pipeline(
        {"use": {"cmd": "cat words.txt > used", "deps": ["words.txt"], "outs": ["used"]}}
    )
    assert repro(project, "-P") == {"words.txt.dvc": "unchanged", "use": "ran"}
    project.mlx("status", "--check").ok()


def test_pins_by_paths_and_parts(project: Project) -> None:
    project.write("data/sub/a", "1\n")
    project.write("data/b", "2\n")
    project.mlx("add", "data").ok()
    pinned = project.mlx("pin", "data", "data/sub/a", "--json").ok().json["pinned"]
    assert [one["path"] for one in pinned] == ["data", "data/sub/a"]
    assert project.mlx("pin", "sub/a", "--json", cwd="data").ok().json["pinned"] == []
    for args in (["pin", ""], ["pin", "--remove", ""], ["pin", "--remove", "data/b"]):
        refused = project.mlx(*args)
        assert (refused.code, "bug" in refused.stderr) == (2, False), str(refused)
    assert len(project.mlx("pin", "--json").json["pins"]) == 2
    project.write("odd.dvc", "outs: [{md5: odd, path: odd, hash: md5}]\n")
    assert project.mlx("pin", "odd").code == 4
    assert len(project.mlx("pin", "--json").ok().json["pins"]) == 2


def test_status_without_stages(project: Project) -> None:
    project.write("a.txt", "1\n")
    project.mlx("add", "a.txt").ok()
    project.write("a.txt", "22\n")
    assert project.mlx("status").ok().stdout == "modified a.txt\n1 tracked path changed\n"


@pytest.mark.parametrize("verb", ["checkout", "push", "fetch", "pull"])
def test_a_part_that_a_folder_does_not_have(project: Project, tmp_path: Path, verb: str) -> None:
    project.write("data/a", "1\n")
    project.mlx("add", "data").ok()
    project.dvc("remote", "add", "-q", "-d", "store", str(tmp_path / "store")).ok()
    project.mlx("push").ok()
    refused = project.mlx(verb, "data/nope")
    assert refused.code == 2, str(refused)
    assert "there is no 'nope' in 'data'" in refused.stderr

"""A commit's files in the working tree: nothing of the user's is lost, the index stays."""

import os
from pathlib import Path

import pytest
from tests.support.experiments import write_experiment
from tests.support.project import Project

from mlxkit.core.errors import MlxError
from mlxkit.experiments.files import Plan, WouldLose, apply_files, plan_files, refuse_losses


@pytest.fixture
def commit(project: Project) -> str:
    """An experiment that changes, adds and removes files, and puts a file where a folder was."""
    for path in ("same", "changed", "gone/deep/file", "folder/file", "plain"):
        project.write(path, f"{path}\n")
    project.write(".gitignore", "*.log\n")
    project.tools.commit(project.root, "files")
    files = {
        "changed": "new\n", "added/file": "a\n", "folder": "a file now\n", "plain/inner": "x\n",
    }  # fmt: skip
    removed = ["gone/deep/file", "folder/file", "plain"]
    return write_experiment(project.root, "e", files, removed=removed, env=project.tools.env)


def _apply(project: Project, commit: str, *, force: bool = False) -> Plan:
    plan = plan_files(str(project.root), commit)
    refuse_losses(plan, str(project.root), force=force)
    apply_files(str(project.root), plan)
    return plan


def _status(project: Project) -> list[str]:
    return project.git("status", "--porcelain", "-uall").stdout.splitlines()


def test_all_of_it_and_only_that(project: Project, commit: str) -> None:
    before = os.stat(project.root / "same")
    index = (project.root / ".git/index").read_bytes()
    plan = _apply(project, commit)
    assert sorted(plan.write) == ["added/file", "changed", "folder", "plain/inner"]
    assert sorted(plan.remove) == ["folder/file", "gone/deep/file", "plain"]
    assert (project.root / ".git/index").read_bytes() == index
    assert os.stat(project.root / "same").st_mtime_ns == before.st_mtime_ns
    assert not (project.root / "gone").exists()
    assert project.git("diff", "--stat", commit, "--", "same", "changed").stdout == ""
    assert sorted(_status(project)) == [
        " D folder/file", " D gone/deep/file", " D plain", " M changed",
        "?? added/file", "?? folder", "?? plain/inner",
    ]  # fmt: skip
    assert _apply(project, commit)[1:] == ((), (), (), ())


@pytest.mark.parametrize("change", [
    "echo mine > changed", "echo mine > same", "echo mine >> gone/deep/file",
    "mkdir added; echo mine > added/file", "echo mine > added", "rm same; ln -s changed same",
    "rm -r folder; mkdir real; ln -s real added",
])  # fmt: skip
def test_what_only_the_working_tree_has_stops_it(
    change: str, project: Project, commit: str
) -> None:
    project.sh(change)
    before = _status(project)
    with pytest.raises(WouldLose):
        _apply(project, commit)
    assert _status(project) == before
    _apply(project, commit, force=True)
    assert project.read("changed") == "new\n" and project.read("added/file") == "a\n"


@pytest.mark.parametrize("change", [
    "echo mine > other", "echo mine > gone/other", "echo x > a.log", "rm changed same",
    "touch same changed", "echo new > changed",
    "echo staged > changed; git add changed",
])  # fmt: skip
def test_what_is_kept_does_not_stop_it(change: str, project: Project, commit: str) -> None:
    project.sh(change)
    kept = [path for path in ("other", "gone/other", "a.log") if (project.root / path).exists()]
    _apply(project, commit)
    assert all((project.root / path).exists() for path in kept)
    assert project.read("changed") == "new\n" and project.read("same") == "same\n"


def test_nothing_is_removed_behind_a_link(project: Project, commit: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("not ours\n")
    project.sh(f"rm -r folder; ln -s {tmp_path}/elsewhere folder")
    with pytest.raises(WouldLose):
        _apply(project, commit)
    _apply(project, commit, force=True)
    assert (tmp_path / "elsewhere" / "file").read_text() == "not ours\n"
    assert project.read("folder") == "a file now\n"


def test_a_folder_with_files_of_ones_own_is_never_removed(project: Project, commit: str) -> None:
    project.write("folder/mine.log", "x")
    with pytest.raises(MlxError, match="folder"):
        _apply(project, commit, force=True)
    assert project.read("folder/mine.log") == "x" and project.read("changed") == "changed\n"


def test_modes_and_links(project: Project, tmp_path: Path) -> None:
    project.write("tool", "#!/bin/sh\n", mode=0o755)
    os.symlink("tool", project.root / "link")
    project.tools.commit(project.root, "tool")
    head = project.git("rev-parse", "HEAD").stdout.strip()
    project.sh("git rm -q --cached tool link; git commit -qm gone; rm tool link")
    _apply(project, head)
    assert os.access(project.root / "tool", os.X_OK)
    assert os.readlink(project.root / "link") == "tool"

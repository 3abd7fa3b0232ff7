"""What a commit brings along in `.mlx/` is not believed; what came about here is."""

import json
from pathlib import Path

import pytest
from tests.support.project import Project

from mlxkit.pipeline.memories import HERE, forget_foreign


@pytest.fixture
def git_root(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


def _remember(folder: Path) -> Path:
    memory = folder / ".mlx" / "cache" / "declared.json"
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text("{}")
    return memory


def test_what_came_about_here_stays(git_root: Path) -> None:
    forget_foreign(str(git_root), str(git_root))
    memory = _remember(git_root)
    forget_foreign(str(git_root), str(git_root))
    assert memory.exists()


@pytest.mark.parametrize("mark", [None, "", "0" * 32])
def test_what_a_commit_brought_goes_and_what_a_run_left_stays(
    git_root: Path, mark: str | None
) -> None:
    memory = _remember(git_root)
    partial = git_root / ".mlx" / "partial" / "model"
    partial.parent.mkdir()
    partial.write_text("half")
    if mark is not None:
        (git_root / ".mlx" / HERE).write_text(mark)
    forget_foreign(str(git_root), str(git_root))
    assert not memory.exists() and partial.exists()


def test_nothing_behind_a_link_is_deleted(git_root: Path, tmp_path: Path) -> None:
    memory = _remember(tmp_path / "elsewhere")
    (git_root / ".mlx").symlink_to(tmp_path / "elsewhere" / ".mlx")
    forget_foreign(str(git_root), str(git_root))
    assert memory.exists() and not (git_root / ".mlx").is_symlink()


def test_commands_are_those_of_dvc_yaml(project: Project) -> None:
    """And not those of a memory that was committed to say otherwise, for this very folder."""
    project.pipeline({"a": {"cmd": "echo right > a", "outs": ["a"]}})
    project.mlx("status").ok()
    memory = project.root / ".mlx" / "cache" / "declared.json"
    known = memory.read_text()
    assert "echo right" in known and json.loads(known)["root"] == str(project.root)
    memory.write_text(known.replace("echo right", "echo wrong"))
    (project.root / ".mlx" / HERE).write_text("0" * 32)
    project.mlx("repro").ok()
    assert (project.root / "a").read_text() == "right\n"

"""Projects as their users begin them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.project import Project
from tests.support.tools import Tools

TRAINING: dict[str, Any] = {
    "prep": {
        "cmd": "tr a-z A-Z < data.csv > clean.csv",
        "deps": ["data.csv"],
        "outs": ["clean.csv"],
    },
    "train": {
        "cmd": "echo training; cat clean.csv params.yaml > model",
        "deps": ["clean.csv"],
        "params": ["train.lr"],
        "outs": ["model"],
    },
    "evaluate": {
        "cmd": "printf '{\"accuracy\": 0.75, \"n\": %d}' $(wc -l < model) > metrics.json",
        "deps": ["model"],
        "metrics": [{"metrics.json": {"cache": False}}],
    },
}  # fmt: skip


@pytest.fixture
def repository(tools: Tools, tmp_path: Path) -> Project:
    """A Git repository that knows nothing of mlx or DVC."""
    root = tmp_path / "work"
    root.mkdir()
    tools.git(root, "init", "-q", "-b", "main")
    return Project(root, tools)


def write_training(project: Project) -> None:
    """Write the pipeline and commit it."""
    project.write("data.csv", "a,b\n")
    project.write("params.yaml", "train:\n  lr: 0.1\nseed: 7\n")
    project.pipeline(TRAINING)
    project.tools.commit(project.root, "a pipeline")


@pytest.fixture
def training(project: Project) -> Project:
    """A pipeline of three stages, committed, never run."""
    write_training(project)
    return project


@pytest.fixture(scope="session")
def trained_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pipeline after a run, committed; copied, never changed."""
    project = Project.copy(template, tmp_path_factory.mktemp("trained") / "project", tools)
    write_training(project)
    project.mlx("repro").ok()
    tools.commit(project.root, "trained")
    return project.root


@pytest.fixture
def trained(trained_once: Path, tools: Tools, tmp_path: Path) -> Project:
    """The pipeline after a run, committed."""
    return Project.copy(trained_once, tmp_path / "project", tools)


Outcomes = Callable[..., dict[str, str]]


@pytest.fixture
def repro() -> Outcomes:
    """Run `mlx repro`, and tell what became of each stage."""

    def run(project: Project, *args: str, code: int = 0, cwd: str = ".") -> dict[str, str]:
        result = project.mlx("repro", "--json", *args, cwd=cwd)
        assert result.code == code, str(result)
        return {one["stage"]: one["outcome"] for one in result.json["stages"]}

    return run

"""DVC in this process, away from the user's own settings."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.project import Project


@pytest.fixture(scope="session", autouse=True)
def dvc_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep DVC's and Git's settings of the machine away."""
    home = tmp_path_factory.mktemp("dvc-home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
            patch.setenv(name, str(home / name.lower()))
        patch.setenv("DVC_NO_ANALYTICS", "1")
        patch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        yield home


@pytest.fixture
def inside(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A new project that is the current folder."""
    monkeypatch.chdir(project.root)
    return project


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A folder with what DVC's locks need of a project."""
    os.makedirs(tmp_path / ".dvc" / "tmp")
    return str(tmp_path.resolve())

"""DVC in this process, away from the user's own settings, as the oracle for pure decisions."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.pipeline.parts import digest

from mlxkit.pipeline.declared import Declared, load_declared


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


@pytest.fixture(scope="module")
def dvc_repo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One real DVC repository without Git, for the tests of a module to write into."""
    from dvc.repo import Repo

    root = tmp_path_factory.mktemp("repo").resolve()
    Repo.init(str(root), no_scm=True).close()
    repo = Repo(str(root))
    before = os.getcwd()
    os.chdir(root)
    yield repo
    os.chdir(before)
    repo.close()


Load = Callable[..., Declared]


@pytest.fixture
def load() -> Load:
    """Read a project anew: `load(root)`; nothing is remembered from a moment ago."""

    def read(root: str | Path, git_root: str | Path | None = None) -> Declared:
        return load_declared(str(root), str(git_root) if git_root else None, digest, 0)

    return read

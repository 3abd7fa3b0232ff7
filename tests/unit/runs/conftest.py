"""Repositories, apart from the user's own settings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .repo import Repo


@pytest.fixture(autouse=True)
def plain_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No settings but a name."""
    config = tmp_path / "gitconfig"
    config.write_text(
        "[user]\nname = Ann\nemail = ann@example.com\n[init]\ndefaultBranch = main\n"
        '[protocol "file"]\nallow = always\n[advice]\ndetachedHead = false\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    yield


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one commit."""
    made = Repo(tmp_path / "repo")
    made.git("init", "-q", "--template=")
    made.write("a.txt", "one")
    made.write("sub/b.txt", "two")
    made.commit("start")
    return made

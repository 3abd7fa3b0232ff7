"""Git repositories away from the user's settings, with a log each."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlxkit.audit import log
from mlxkit.audit.event import Kind

CONFIG = "[user]\n\tname = Ann\n\temail = ann@example.org\n[init]\n\tdefaultBranch = main\n"


def git(root: str | Path, *args: str, stdin: bytes | None = None, **env: str) -> str:
    """`git ARGS`, which must succeed; what it prints, without the line's end."""
    done = subprocess.run(
        ["git", "-C", str(root), *args],
        input=stdin,
        capture_output=True,
        env={**os.environ, **env},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().rstrip("\n")


@pytest.fixture(scope="module", autouse=True)
def git_home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """No setting of the user or the machine reaches Git."""
    home = tmp_path_factory.mktemp("home")
    (home / "gitconfig").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        yield home


Make = Callable[[str], str]


@pytest.fixture
def new_repo(tmp_path: Path) -> Make:
    """Make a repository: `new_repo("name")`."""

    def make(name: str) -> str:
        root = tmp_path / name
        git(tmp_path, "init", "-q", "--template=", str(root))
        return str(root)

    return make


@pytest.fixture
def repo(new_repo: Make) -> str:
    """A repository without anything."""
    return new_repo("repo")


def fill(root: str, count: int = 5) -> list[log.Entry]:
    """Write some events; the entries, oldest first."""
    return [log.append(root, Kind.GC, {"n": number}) for number in range(count)]

"""Keys by ssh-keygen, and repositories apart from the user's own settings."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlxkit.attest.public_key import PublicKey, of_ssh

Keygen = Callable[..., Path]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No settings but a name; no agent."""
    config = tmp_path / "gitconfig"
    config.write_text(
        "[user]\nname = Ann\nemail = ann@example.org\n[init]\ndefaultBranch = main\n"
        '[protocol "file"]\nallow = always\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    yield


@pytest.fixture
def keygen(tmp_path: Path) -> Keygen:
    """Make a key: `keygen("ann")`."""

    def make(name: str, *, kind: str = "ed25519", passphrase: str = "") -> Path:
        path = tmp_path / name
        subprocess.run(
            ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", str(path)],
            check=True,
        )
        return path

    return make


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit."""
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "--template=")
    git(root, "commit", "-q", "--allow-empty", "-m", "start")
    return root


def git(root: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", *args], cwd=root, capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def public_of(path: Path) -> PublicKey:
    words = Path(f"{path}.pub").read_text().split()
    return of_ssh(words[0], words[1])

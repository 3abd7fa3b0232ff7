"""Events are signed where the user signs commits, and signatures are checked."""

import subprocess
from pathlib import Path

import pytest

from mlxkit.audit import log
from mlxkit.audit.verify import Fault, examine, verify
from mlxkit.core.errors import MlxError

from .conftest import fill, git


def _key(folder: Path, name: str) -> Path:
    path = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True
    )
    return path


@pytest.fixture
def signing(repo: str, tmp_path: Path) -> str:
    """A repository whose user signs with an SSH key."""
    git(repo, "config", "commit.gpgSign", "true")
    git(repo, "config", "gpg.format", "ssh")
    git(repo, "config", "user.signingKey", str(_key(tmp_path, "key")))
    return repo


def _trust(root: str, folder: Path, name: str) -> None:
    public = (folder / f"{name}.pub").read_text()
    (folder / "signers").write_text(f"ann@example.org {public}")
    git(root, "config", "gpg.ssh.allowedSignersFile", str(folder / "signers"))


def _raw(root: str, commit: str) -> bytes:
    return (git(root, "cat-file", "commit", commit) + "\n").encode()


def test_signed_and_checked(signing: str, tmp_path: Path) -> None:
    entry = fill(signing, 2)[-1]
    assert b"BEGIN SSH SIGNATURE" in _raw(signing, entry.commit)
    assert examine(signing) == (2, 2, 2, ())  # whose key it is, nobody said
    _trust(signing, tmp_path, "key")
    assert examine(signing) == (2, 2, 0, ())
    git(signing, "verify-commit", entry.commit)
    _key(tmp_path, "other")
    _trust(signing, tmp_path, "other")
    assert examine(signing) == (2, 2, 2, ())


def test_not_everybody_signs(signing: str) -> None:
    git(signing, "config", "commit.gpgSign", "false")
    fill(signing, 1)
    git(signing, "config", "commit.gpgSign", "true")
    fill(signing, 1)
    assert examine(signing)[:2] == (2, 1)
    assert verify(signing) == []


@pytest.mark.parametrize("trusted", [False, True])
def test_a_bad_signature(trusted: bool, signing: str, tmp_path: Path) -> None:
    """The signature of one event on another: everything else fits."""
    first, second = fill(signing, 2)
    raw = _raw(signing, second.commit)
    signature = raw[raw.index(b"gpgsig") : raw.index(b"-----END")]
    other = _raw(signing, first.commit)
    theirs = other[other.index(b"gpgsig") : other.index(b"-----END")]
    forged = git(
        signing, "hash-object", "-t", "commit", "-w", "--stdin",
        stdin=raw.replace(signature, theirs),
    )  # fmt: skip
    git(signing, "update-ref", log.REF, forged)
    (Path(signing) / ".git/mlx/audit-tip").unlink()
    if trusted:
        _trust(signing, tmp_path, "key")
    (problem,) = verify(signing)
    assert problem[:3] == (Fault.SIGNATURE, 2, forged)


@pytest.mark.parametrize("key", ["/nowhere/key", ""])
def test_no_signature_no_event(key: str, signing: str) -> None:
    fill(signing, 1)
    git(signing, "config", "user.signingKey", key)
    with pytest.raises(MlxError, match=r"'gc' was not written.*could not be signed"):
        fill(signing, 1)
    assert len(log.read(signing)) == 1
    assert verify(signing) == []


def test_gpg(repo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    try:
        made = subprocess.run(
            ["gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--quick-gen-key",
             "Ann <ann@example.org>", "ed25519", "sign"],
            capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("gpg is not installed")
    assert made.returncode == 0, made.stderr
    git(repo, "config", "commit.gpgSign", "true")
    fill(repo, 1)
    assert examine(repo) == (1, 1, 0, ())
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(other))
    assert examine(repo) == (1, 1, 1, ())  # the key is not known here

"""The key that signs: SSH, PEM, in an agent; and what is wrong with it, said clearly."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlxkit.attest.keys import Signer, open_signer
from mlxkit.core.errors import MlxError, UsageError

from .conftest import Keygen, public_of


def signs(signer: Signer, path: Path) -> bool:
    """Tell whether what the signer signs verifies with the public key beside the private one."""
    return public_of(path).verifies(signer.sign(b"data"), b"data")


def test_a_key_of_ssh(keygen: Keygen) -> None:
    path = keygen("ann")
    assert signs(open_signer(str(path)), path)
    assert signs(open_signer(f"{path}.pub"), path)


def test_a_pem_key(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    path = tmp_path / "key.pem"
    for encryption in (
        serialization.NoEncryption(),
        serialization.BestAvailableEncryption(b"secret"),
    ):
        path.write_bytes(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
            )
        )
        path.chmod(0o600)
        signer = open_signer(str(path), lambda _: "secret")
        assert signer.sign(b"data") == private.sign(b"data")


def test_a_passphrase(keygen: Keygen) -> None:
    path = keygen("ann", passphrase="secret")
    asked = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return "secret"

    assert signs(open_signer(str(path), ask), path)
    assert asked == [f"Passphrase of {path}: "]
    with pytest.raises(MlxError, match="passphrase is wrong"):
        open_signer(str(path), lambda _: "other")
    with pytest.raises(MlxError) as caught:
        open_signer(str(path))
    assert "no terminal" in caught.value.message
    assert "ssh-add" in (caught.value.hint or "")


@pytest.fixture
def agent(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """An agent of our own, without a key."""
    place = tmp_path_factory.mktemp("agent") / "s"
    process = subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(place)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it says where it is when it is there
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        yield
    finally:
        process.kill()
        process.communicate()


def add(path: Path) -> None:
    subprocess.run(["ssh-add", "-q", str(path)], check=True, env=os.environ)


def test_a_key_in_an_agent(keygen: Keygen, agent: None) -> None:
    path, other = keygen("ann"), keygen("other")
    add(other)
    with pytest.raises(MlxError, match="nor in ssh-agent"):
        open_signer(f"key::{public_of(path).line}")
    add(path)
    away = path.rename(path.with_name("away"))
    assert signs(open_signer(f"{path}.pub"), path)
    assert signs(open_signer(public_of(path).line), path)
    signer = open_signer(f"key::{public_of(path).line} ann")
    subprocess.run(["ssh-add", "-q", "-D"], check=True)
    with pytest.raises(MlxError, match="did not sign"):
        signer.sign(b"data")
    assert away.exists()


def test_an_agent_opens_a_key_with_a_passphrase(keygen: Keygen, agent: None) -> None:
    path = keygen("ann")
    add(path)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret", "-f", str(path)], check=True)
    assert signs(open_signer(str(path)), path)


def test_an_agent_that_is_gone(keygen: Keygen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere/agent")
    path = keygen("ann")
    assert signs(open_signer(f"{path}.pub"), path)
    path.unlink()
    with pytest.raises(MlxError, match="neither beside the public one nor in ssh-agent"):
        open_signer(f"{path}.pub")


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such key"):
        open_signer(str(tmp_path / "none"))


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_unreadable(keygen: Keygen) -> None:
    path = keygen("ann")
    path.chmod(0)
    with pytest.raises(MlxError, match="cannot be read"):
        open_signer(str(path))


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(MlxError, match="cannot be read"):
        open_signer(str(tmp_path))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_open_to_others(mode: int, keygen: Keygen) -> None:
    path = keygen("ann")
    path.chmod(mode)
    with pytest.raises(MlxError, match="others may read this private key") as caught:
        open_signer(str(path))
    assert "chmod 600" in (caught.value.hint or "")


def test_keys_of_other_kinds(keygen: Keygen) -> None:
    path = keygen("other", kind="ecdsa")
    for name in (path, f"{path}.pub"):
        with pytest.raises(UsageError, match=r"not (ssh-)?ed25519"):
            open_signer(str(name))


def test_damaged(keygen: Keygen) -> None:
    path = keygen("ann")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:-4], *lines[2:]]))
    with pytest.raises(MlxError, match="damaged"):
        open_signer(str(path))
    path.write_text("hello\n")
    with pytest.raises(UsageError, match="no ed25519 key"):
        open_signer(str(path))


def test_two_halves_of_different_keys(keygen: Keygen) -> None:
    path, other = keygen("ann"), keygen("other")
    Path(f"{other}.pub").replace(f"{path}.pub")
    with pytest.raises(MlxError, match="not the private key of the one beside it"):
        open_signer(f"{path}.pub")

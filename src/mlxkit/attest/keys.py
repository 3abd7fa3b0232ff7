"""Finds and opens the key that signs: an SSH key, one in `ssh-agent`, or a PEM file; ed25519."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from mlxkit.attest import agent
from mlxkit.attest.public_key import PublicKey, of_ssh
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.tools import git

Ask = Callable[[str], str] | None
"""Asks a person for a passphrase; None where there is nobody to ask."""

_NEW = "make one: ssh-keygen -t ed25519"


class Signer(NamedTuple):
    """A public key, and what signs with the private one that belongs to it."""

    public: PublicKey
    sign: Callable[[bytes], bytes]


def chosen_key(git_root: str, given: str) -> str:
    """Return the key that was given, else the one that Git signs with; raises UsageError."""
    if given:
        return os.path.expanduser(given)
    form = _setting(git_root, "gpg.format")
    key = _setting(git_root, "user.signingKey")
    if form == "ssh" and key:
        return os.path.expanduser(key)
    raise UsageError(
        "no key to sign with",
        hint="give one: --key ~/.ssh/id_ed25519   or: git config gpg.format ssh; "
        "git config user.signingKey ~/.ssh/id_ed25519",
    )


def open_signer(key: str, ask: Ask = None) -> Signer:
    """Open a key: a file, private or public, or a public key itself (`ssh-ed25519 AAAA...`).

    Of a public key, and of an encrypted one, `ssh-agent` is asked first. Raises MlxError where
    there is no such key, or it may not or cannot be used.
    """
    text = key.removeprefix("key::")
    if text.startswith("ssh-"):
        return _of_agent(_public(text, "the key"), "the key")
    data = _read(key)
    if data.startswith(b"-----BEGIN "):
        return _private(key, data, ask)
    public = _public(data.decode("utf-8", "replace"), key)
    private = key.removesuffix(".pub")
    if not agent.holds(public) and private != key and os.path.exists(private):
        signer = _private(private, _read(private), ask)
        if signer.public != public:
            raise MlxError(
                "it is not the private key of the one beside it",
                where=private,
                hint=f"see: ssh-keygen -y -f {private}",
            )
        return signer
    return _of_agent(public, key)


def _setting(git_root: str, name: str) -> str:
    found = git.run(git_root, "config", "--get", name, ok=(0, 1))
    return os.fsdecode(found).strip()


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 20)
    except FileNotFoundError:
        raise UsageError("there is no such key", where=path, hint=_NEW) from None
    except OSError as error:
        why = error.strerror or str(error)
        raise MlxError(
            f"the key cannot be read: {why}", where=path, hint=f"see: ls -l {path}"
        ) from None


def _public(text: str, where: str) -> PublicKey:
    words = text.split()
    try:
        return of_ssh(words[0] if words else "", words[1] if len(words) > 1 else "")
    except ValueError as error:
        raise UsageError(f"it is no ed25519 key: {error}", where=where, hint=_NEW) from None


def _of_agent(public: PublicKey, where: str) -> Signer:
    def sign(data: bytes) -> bytes:
        signature = agent.sign(public, data)
        if signature is None:
            raise MlxError(
                f"ssh-agent did not sign with {public.fingerprint}",
                hint="was it asked to confirm, or is it locked? see: ssh-add -l",
            )
        return signature

    if not agent.holds(public):
        raise MlxError(
            "the private key is neither beside the public one nor in ssh-agent",
            where=where,
            hint="run: ssh-add KEY",
        )
    return Signer(public, sign)


def _private(path: str, data: bytes, ask: Ask) -> Signer:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    _refuse_open(path)
    key = _loaded(path, data, None)
    if key is None:
        held = _beside(path)
        if held is not None and agent.holds(held):
            return _of_agent(held, path)
        if ask is None:
            raise MlxError(
                "the key has a passphrase, and there is no terminal to ask for it",
                where=path,
                hint=f"run: ssh-add {path}   and give: --key {path}.pub",
            )
        key = _loaded(path, data, ask(f"Passphrase of {path}: ").encode())
    if not isinstance(key, Ed25519PrivateKey):
        kind = type(key).__name__.strip("_").removesuffix("PrivateKey")
        raise UsageError(f"it is a key of kind {kind}, not ed25519", where=path, hint=_NEW)
    return Signer(PublicKey(key.public_key().public_bytes_raw()), key.sign)


def _refuse_open(path: str) -> None:
    """Refuse a key that others may read, as ssh does."""
    stat = os.stat(path)
    if stat.st_uid == os.getuid() and stat.st_mode & 0o077:
        raise MlxError(
            f"others may read this private key (mode {stat.st_mode & 0o777:04o})",
            where=path,
            hint=f"run: chmod 600 {path}   and, if others have had access, make a new one",
        )


def _beside(path: str) -> PublicKey | None:
    """Return the public key beside a private one, if there is one."""
    try:
        return _public(_read(f"{path}.pub").decode("utf-8", "replace"), path)
    except MlxError:
        return None


def _loaded(path: str, data: bytes, passphrase: bytes | None) -> Any:
    """Return the private key, None where it has a passphrase and none was given."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    is_ssh = b"OPENSSH PRIVATE KEY" in data[:64]
    load = serialization.load_ssh_private_key if is_ssh else serialization.load_pem_private_key
    try:
        return load(data, password=passphrase)
    except TypeError:  # a passphrase is missing, or is one too many
        if passphrase is None:
            return None
        raise MlxError("the key cannot be opened", where=path) from None
    except UnsupportedAlgorithm as error:
        raise MlxError(
            f"the key cannot be opened: {error}", where=path, hint=f"run: ssh-add {path}"
        ) from None
    except ValueError as error:
        if passphrase is not None:
            raise MlxError("the passphrase is wrong", where=path, hint="try again") from None
        raise MlxError(f"the key is damaged: {error}", where=path, hint=_NEW) from None

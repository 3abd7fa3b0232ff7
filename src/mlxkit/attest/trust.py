"""Whose signatures count: the allowed signers that are configured, applied to an envelope."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from mlxkit.attest.dsse import Envelope, Signature, pae
from mlxkit.attest.public_key import PublicKey
from mlxkit.attest.signers import Allowed, parse, refusal
from mlxkit.core.errors import ProjectError, UsageError
from mlxkit.settings.load import section
from mlxkit.tools import git, ssh_keygen

_KRL = b"SSHKRL\n\0"


class Trust(NamedTuple):
    """Who may sign, as of when; `revoked` is the file of revoked keys, empty where there is none.

    `threshold` different keys must have signed.
    """

    allowed: Sequence[Allowed]
    where: str
    now: datetime
    threshold: int = 1
    revoked: str = ""


class Signed(NamedTuple):
    """A signature that counts: whose, and by which key."""

    who: str
    key: PublicKey


def find_trust(root: str, git_root: str, given: str, now: datetime, threshold: int = 1) -> Trust:
    """Read the allowed signers: the file given, else Git's, else what `mlx.yaml` names.

    What comes with the repository comes last: it may be a stranger's. Raises UsageError where
    there is none, ProjectError for one that cannot be read.
    """
    path = given or _setting(git_root, "gpg.ssh.allowedSignersFile") or _of_project(root)
    if not path:
        raise UsageError(
            "nobody is known who may sign",
            hint="give a file of allowed signers: --allowed FILE   or: "
            "git config gpg.ssh.allowedSignersFile FILE",
        )
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ProjectError(
            f"the allowed signers cannot be read: {why}",
            where=path,
            hint="name another: --allowed FILE",
        ) from None
    revoked = _setting(git_root, "gpg.ssh.revocationFile")
    return Trust(parse(text, path), path, now, threshold, revoked)


def judge(envelope: Envelope, trust: Trust) -> tuple[list[Signed], list[str]]:
    """Return the signatures that count, each key once, and why the others do not."""
    found: dict[PublicKey, Signed] = {}
    refused = []
    data = pae(envelope.payload_type, envelope.payload)
    lines: dict[PublicKey, list[Allowed]] = {}
    for one in trust.allowed:
        lines.setdefault(one.key, []).append(one)
    for signature in envelope.signatures:
        key = next((key for key in lines if key.verifies(signature.sig, data)), None)
        if key is None:
            refused.append(_unknown(signature, lines, trust.where))
            continue
        whys = {one: refusal(one, trust.now) for one in lines[key]}
        good = next((one for one, why in whys.items() if not why), None)
        if good is None:
            last = lines[key][-1]
            refused.append(f"{last.who}: {whys[last]} ({trust.where}:{last.line})")
        elif trust.revoked and _is_revoked(trust.revoked, key):
            refused.append(f"{good.who}: its key was revoked ({trust.revoked})")
        else:
            found.setdefault(key, Signed(good.who, key))
    return list(found.values()), refused


def _unknown(signature: Signature, lines: Mapping[PublicKey, Sequence[Allowed]], where: str) -> str:
    for key, each in lines.items():
        if signature.keyid in (key.keyid, key.fingerprint):
            return (
                f"the signature of {each[0].who} does not fit: it, or what was signed, was changed"
            )
    named = f"key {signature.keyid[:16]}" if signature.keyid else "its key"
    return f"{named} is not that of an allowed signer ({where})"


def _is_revoked(path: str, key: PublicKey) -> bool:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise ProjectError(
            f"the revoked keys cannot be read: {error.strerror}",
            where=path,
            hint="see: git config gpg.ssh.revocationFile",
        ) from None
    if data.startswith(_KRL):
        return ssh_keygen.is_revoked(path, key.line)
    return key.line.split()[1].encode("ascii") in data.split()


def _setting(git_root: str, name: str) -> str:
    found = git.run(git_root, "config", "--type=path", "--get", name, ok=(0, 1))
    path = os.fsdecode(found.rstrip(b"\n"))
    return os.path.join(git_root, path) if path else ""


def _of_project(root: str) -> str:
    """Return what `attest.allowed_signers` of `mlx.yaml` names; raises ProjectError."""
    told = section(root, "attest")
    return "" if told is None else os.path.join(root, told["allowed_signers"])

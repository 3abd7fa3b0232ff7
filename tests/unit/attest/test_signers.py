"""The file of allowed signers, as `ssh-keygen` reads it."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlxkit.attest.public_key import PublicKey
from mlxkit.attest.signers import parse, refusal
from mlxkit.core.errors import ProjectError

from .conftest import Keygen, public_of

KEY = PublicKey(bytes(range(32)))
NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def why(options: str, now: datetime = NOW) -> str:
    (one,) = parse(f"ann@example.org {options} {KEY.line} a comment", "signers")
    assert (one.who, one.key) == ("ann@example.org", KEY)
    return refusal(one, now)


@pytest.mark.parametrize(
    "options",
    [
        "",
        'namespaces="mlx-attestation"',
        'namespaces="git,mlx-attestation"',
        'namespaces="mlx-*"',
        'namespaces="*,!git"',
        'valid-after="20260101Z"',
        'valid-before="20260601120000Z"',
        'valid-before="99991231235959"',
        'valid-after="00010101"',
        'valid-after="202606011200Z",valid-before="20270101Z",namespaces="*"',
    ],
)
def test_good(options: str) -> None:
    assert why(options) == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('namespaces="git"', "allowed for git only"),
        ('namespaces="*,!mlx-attestation"', "not for mlx-attestation"),
        ('valid-after="20260601120001Z"', "valid only after 2026-06-01 12:00 UTC"),
        ('valid-before="202606011159Z"', "expired on 2026-06-01 11:59 UTC"),
        ('valid-before="20260101Z"', "expired on 2026-01-01 00:00 UTC"),
    ],
)
def test_refused(options: str, said: str) -> None:
    assert said in why(options)


def test_what_signs_no_attestation_is_passed_over(keygen: Keygen) -> None:
    rsa = Path(f"{keygen('rsa', kind='ecdsa')}.pub").read_text()
    text = (
        f"# a comment\n\n  \t\nann@example.org,*@example.com {rsa}"
        f"*@example.org cert-authority {KEY.line}\n"
        f'"bob b@example.org" {KEY.line}\n'
    )
    (one,) = parse(text, "signers")
    assert (one.who, one.line) == ("bob b@example.org", 6)


@pytest.mark.parametrize(
    "line",
    [
        "ann@example.org",
        f"{KEY.line}",
        f"ann@example.org nonsense {KEY.line}",
        f'ann@example.org namespaces="git {KEY.line}',
        f"ann@example.org namespaces {KEY.line}",
        f'ann@example.org valid-before="soon" {KEY.line}',
        f'ann@example.org valid-before="20261301Z" {KEY.line}',
        f'ann@example.org verify-required="yes" {KEY.line}',
        "ann@example.org ssh-ed25519 AAAA",
        "ann@example.org ssh-ed25519 %%%%",
        f"ann@example.org {KEY.line[:-8]}",
    ],
)
def test_bad_lines_are_named(line: str) -> None:
    with pytest.raises(ProjectError) as caught:
        parse(f"# first\n{line}\n", "signers")
    assert caught.value.where == "signers:2"


def test_names_are_those_that_ssh_shows(keygen: Keygen) -> None:
    path = keygen("ann")
    told = subprocess.run(
        ["ssh-keygen", "-l", "-f", f"{path}.pub"], capture_output=True, text=True, check=True
    )
    key = public_of(path)
    assert key.fingerprint == told.stdout.split()[1]
    assert Path(f"{path}.pub").read_text().startswith(key.line + " ")


def test_the_keyid_is_that_of_in_toto() -> None:
    """A digest of the key's canonical JSON: keys sorted, no spaces."""
    import hashlib

    public = KEY.raw.hex()
    said = f'{{"keytype":"ed25519","keyval":{{"public":"{public}"}},"scheme":"ed25519"}}'
    assert KEY.keyid == hashlib.sha256(said.encode()).hexdigest()

"""Who may sign: the lines of a file as Git's `gpg.ssh.allowedSignersFile`, read and judged. Pure.

The format is that of `ssh-keygen`, "ALLOWED SIGNERS".
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

from mlxkit.attest.public_key import KIND, PublicKey, of_ssh
from mlxkit.core.errors import ProjectError

NAMESPACE = "mlx-attestation"
"""What `namespaces="..."` of a line must allow, where it says any."""
_WORD = re.compile(r'\s*((?:[^\s"]|"(?:[^"\\]|\\.)*")+)')
_OPTION = re.compile(r'([A-Za-z-]+)(?:="((?:[^"\\]|\\.)*)")?(?:,|\Z)')
_KINDS = re.compile(r"(sk-)?(ssh|ecdsa)-[\w.@-]+\Z|webauthn-sk-[\w.@-]+\Z")
_TIMES = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


class Allowed(NamedTuple):
    """One line: whose key it is, and when and for what it is good."""

    who: str
    key: PublicKey
    line: int
    namespaces: str | None = None
    after: datetime | None = None
    before: datetime | None = None


def parse(text: str, where: str) -> list[Allowed]:
    """Return the ed25519 keys of the file; raises ProjectError for a line that is not one.

    Keys of other kinds, and those of authorities that sign certificates, sign no attestation.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                one = _line(line, number)
            except ValueError as error:
                raise ProjectError(
                    f"not a line of allowed signers: {error}",
                    where=f"{where}:{number}",
                    hint='write it as: ann@example.org namespaces="git,mlx-attestation" '
                    "ssh-ed25519 AAAA...",
                ) from None
            if one is not None:
                found.append(one)
    return found


def refusal(one: Allowed, now: datetime) -> str:
    """Say why the key may not sign an attestation now; empty where it may."""
    if one.namespaces is not None and not _matches(one.namespaces, NAMESPACE):
        return f"its key is allowed for {one.namespaces} only, not for {NAMESPACE}"
    if one.after is not None and now < one.after:
        return f"its key is valid only after {_shown(one.after)}"
    if one.before is not None and now > one.before:
        return f"its key expired on {_shown(one.before)}"
    return ""


def _line(line: str, number: int) -> Allowed | None:
    words = list(_words(line))
    if len(words) < 3:
        raise ValueError("it needs a name, the kind of a key and the key")
    who = words[0].strip('"')
    options = "" if _KINDS.match(words[1]) else words[1]
    rest = words[2:] if options else words[1:]
    if len(rest) < 2 or not _KINDS.match(rest[0]):
        raise ValueError(f"'{rest[0] if rest else ''}' is no kind of key")
    namespaces = after = before = None
    authority = False
    for name, value in _options(options):
        if name == "cert-authority":
            authority = True
        elif name == "namespaces" and value:
            namespaces = value
        elif name == "valid-after" and value:
            after = _time(value)
        elif name == "valid-before" and value:
            before = _time(value)
        else:
            raise ValueError(f"'{name}' is no option")
    if authority or rest[0] != KIND:
        return None
    return Allowed(who, of_ssh(rest[0], rest[1]), number, namespaces, after, before)


def _words(line: str) -> Iterator[str]:
    at = 0
    while found := _WORD.match(line, at):
        yield found[1]
        at = found.end()
    if line[at:].strip():
        raise ValueError("a quote is not closed")


def _options(text: str) -> Iterator[tuple[str, str | None]]:
    at = 0
    while at < len(text):
        found = _OPTION.match(text, at)
        if found is None:
            raise ValueError(f"'{text[at:]}' is no option")
        yield found[1].lower(), found[2]
        at = found.end()


def _time(text: str) -> datetime:
    """Read `YYYYMMDD[HHMM[SS]][Z]`, of this machine's time zone without the Z."""
    digits = text.removesuffix("Z")
    form = _TIMES.get(len(digits))
    if form is None or not digits.isdigit():
        raise ValueError(f"'{text}' is no time like 20260131 or 202601311200Z")
    moment = datetime.strptime(digits, form)
    try:
        return moment.replace(tzinfo=UTC) if text.endswith("Z") else moment.astimezone()
    except (OverflowError, ValueError):  # 99991231: for ever, wherever that is
        return moment.replace(tzinfo=UTC)


def _matches(patterns: str, text: str) -> bool:
    """Match a list of patterns as SSH does: one with `!` in front decides against."""
    named: Sequence[str] = [one.strip() for one in patterns.split(",")]
    refused = [one[1:] for one in named if one.startswith("!")]
    wanted = [one for one in named if one and not one.startswith("!")]
    return not any(_like(text, one) for one in refused) and any(_like(text, one) for one in wanted)


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

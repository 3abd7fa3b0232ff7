"""`refs/mlx/attestations`: the envelopes made here, in a chain of Git commits.

Its tree holds `attestations/ab/cdef....json`, each named by its own sha256; so two chains merge by
union, as those of run records do.
"""

import random
import re
import time
from typing import NamedTuple

from mlxkit.attest.dsse import LARGEST, InvalidEnvelope, decode
from mlxkit.core.errors import MlxError
from mlxkit.runs.ledger import contents, fast_import, listed
from mlxkit.runs.record import digest
from mlxkit.runs.repository import Who, ask, commits

REF = "refs/mlx/attestations"
_ATTEMPTS = 30
_PATH = re.compile(r"attestations/([0-9a-f]{2})/([0-9a-f]{62})\.json\Z")
_START = f"commit {REF}\ncommitter mlx <mlx@localhost> 0 +0000\ndata 13\nattestations\n\n".encode()
"""The first commit is the same everywhere, so that all chains are related."""


class Merged(NamedTuple):
    """How many envelopes came in, and how many files were refused: not what they should be."""

    added: int
    refused: int


def tip(root: str) -> str | None:
    """Return the newest commit of the chain, None where nothing was attested yet."""
    return commits(root, [REF]).get(REF)


def append(root: str, envelope: bytes, who: Who) -> str:
    """Keep an envelope; returns its id. Raises MlxError where Git cannot."""
    name = digest(envelope)
    data = f"M 100644 inline {path_of(name)}\ndata {len(envelope)}\n".encode() + envelope + b"\n"
    for attempt in range(_ATTEMPTS):
        before = tip(root)
        begin = b"" if before else _START
        try:
            fast_import(root, begin + _commit(who, f"attest {name[:12]}", before) + data)
        except MlxError:
            if attempt == _ATTEMPTS - 1 or not _moved(root, before):
                raise
            time.sleep(random.uniform(0, 0.02 * (attempt + 1)))
        else:
            break
    return name


def read_all(root: str) -> dict[str, bytes]:
    """Return every envelope's bytes by id; what is not what its name says is left out."""
    now = tip(root)
    found = _named(listed(root, None, now, "attestations")) if now else {}
    return {found[blob]: data for blob, data in contents(root, found) if _right(found[blob], data)}


def merge(root: str, theirs: str, who: Who) -> Merged:
    """Add to our chain what the chain at the ref `theirs` has; raises MlxError.

    Only envelopes whose names are their digests come in. That does not make them true: whose
    signatures count is asked when one is verified.
    """
    for attempt in range(_ATTEMPTS):
        known = commits(root, [REF, theirs])
        ours, other = known.get(REF), known.get(theirs)
        if other is None or ours == other or (ours and _reaches(root, other, ours)):
            return Merged(0, 0)
        offered = listed(root, ours, other)
        good = _checked(root, offered)
        try:
            if len(good) == len(offered) and _goes_on(root, ours, other):
                ask(root, "update-ref", REF, other, ours or "0" * len(other))
            else:
                fast_import(root, _joining(good, ours, other, who))
        except MlxError:
            if attempt == _ATTEMPTS - 1 or not _moved(root, ours):
                raise
        else:
            return Merged(len(good), len(offered) - len(good))
    raise AssertionError("unreachable")


def count(root: str, since: str | None, until: str) -> int:
    """Return how many envelopes `until` has that `since` has not."""
    return len(_named(listed(root, since, until, "attestations")))


def path_of(name: str) -> str:
    """Return where the tree keeps the envelope of that id."""
    return f"attestations/{name[:2]}/{name[2:]}.json"


def _joining(good: dict[str, str], ours: str | None, other: str, who: Who) -> bytes:
    lines = "".join(f"M 100644 {blob} {path_of(name)}\n" for blob, name in good.items())
    begin = b"" if ours else _START
    return begin + _commit(who, "merge attestations", ours, other) + lines.encode()


def _goes_on(root: str, ours: str | None, other: str) -> bool:
    """Tell whether their chain goes on from ours, and holds all that ours holds."""
    if ours is None:
        return True
    if not _reaches(root, ours, other):
        return False
    return not ask(root, "diff-tree", "-r", "--name-only", "--diff-filter=a", ours, other)


def _commit(who: Who, message: str, before: str | None, other: str | None = None) -> bytes:
    head = f"commit {REF}\ncommitter {who.line}\ndata {len(message.encode())}\n{message}"
    parents = f"\nfrom {before}\n" if before else "\n"
    return (head + parents + (f"merge {other}\n" if other else "")).encode()


def _named(files: dict[str, str]) -> dict[str, str]:
    """Return the id that each blob should have."""
    return {blob: match[1] + match[2] for path, blob in files.items()
            if (match := _PATH.match(path))}  # fmt: skip


def _checked(root: str, offered: dict[str, str]) -> dict[str, str]:
    named = _named(offered)
    asked = "".join(f"{blob}\n" for blob in named).encode()
    sizes = ask(root, "cat-file", "--batch-check", stdin=asked).decode().splitlines()
    small = {
        blob: name
        for (blob, name), about in zip(named.items(), sizes, strict=True)
        if about.split()[-1].isdigit() and int(about.split()[-1]) <= LARGEST
    }
    return {blob: small[blob] for blob, data in contents(root, small) if _right(small[blob], data)}


def _right(name: str, data: bytes) -> bool:
    if digest(data) != name:
        return False
    try:
        decode(data)
    except InvalidEnvelope:
        return False
    return True


def _reaches(root: str, old: str, new: str) -> bool:
    return not ask(root, "rev-list", "--max-count=1", old, f"^{new}")


def _moved(root: str, before: str | None) -> bool:
    if tip(root) != before:
        return True
    time.sleep(0.05)
    return tip(root) != before

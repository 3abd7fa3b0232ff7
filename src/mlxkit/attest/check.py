"""Is an attestation true here: its signatures, the files it is about, what lineage knows."""

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from mlxkit.attest.content import Contents
from mlxkit.attest.dsse import PAYLOAD_TYPE, Envelope, InvalidEnvelope, decode, is_as_written
from mlxkit.attest.dsse import looks_like_one as looks_like_envelope
from mlxkit.attest.ledger import CHAIN
from mlxkit.attest.materials import compare
from mlxkit.attest.statement import FOLDER, Statement
from mlxkit.attest.statement import decode as read_statement
from mlxkit.attest.subjects import Problem, Target, compare_files, compare_target
from mlxkit.attest.trust import Signed, Trust, find_trust, judge
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.lineage.index import Index
from mlxkit.lineage.query import Asked
from mlxkit.lineage.what import find
from mlxkit.runs.record import digest


class Verdict(NamedTuple):
    """What is wrong with one attestation, named by its digest; nothing, where it holds."""

    id: str
    problems: tuple[Problem, ...]
    signers: tuple[Signed, ...] = ()
    statement: Statement | None = None
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.problems


def verify(
    index: Index,
    named: str,
    *,
    against: str = "",
    allowed: str = "",
    threshold: int = 1,
    now: datetime | None = None,
) -> list[Verdict]:
    """Check attestations: those in a file, or those on record of a path or version.

    `named` is a file of envelopes, or else what `mlx lineage` takes. `against` is the path or
    version that the statements shall be about; without it, of a file, each subject is looked for
    at its own path. Of several on record of one thing, those that hold make up for the others:
    then only they are returned. Raises UsageError, ProjectError, MlxError for what cannot be
    asked; what is wrong is in the verdicts.
    """
    trust = find_trust(index.root, index.git_root, allowed, now or datetime.now(UTC), threshold)
    given = _envelopes(named)
    if given is not None:
        target = _target(index, against) if against else None
        return [_check(index, one, target, trust) for one in given]
    if against:
        raise UsageError(f"'{named}' is no attestation", hint="name its file, or give one WHAT")
    return _kept(index, _target(index, named), trust, named)


def verify_content(index: Index, target: Target, now: datetime) -> list[Verdict]:
    """Check the attestations on record of just this content, as `verify` does.

    It is not looked for by a name, which a file that lies about might take. Raises as `verify`.
    """
    trust = find_trust(index.root, index.git_root, "", now)
    return _kept(index, target, trust, target.asked.md5)


def _kept(index: Index, target: Target, trust: Trust, named: str) -> list[Verdict]:
    kept = on_record(index, target.asked)
    if not kept:
        why = "nothing is attested of it; to fetch what others attested: mlx fetch"
        return [Verdict("", (Problem("attestation", None, target.asked.path or named, why),))]
    verdicts = [_check(index, one, target, trust) for one in kept]
    return [one for one in verdicts if one.ok] or verdicts


def _target(index: Index, what: str) -> Target:
    return Target(find(index, what), os.path.abspath(what) if os.path.lexists(what) else "")


def _envelopes(named: str) -> list[bytes] | None:
    """Return the envelopes in a file, one in all or one a line; None for another file."""
    if not os.path.isfile(named):
        return None
    with open(named, "rb") as file:
        start = file.read(1 << 16)
        if not looks_like_envelope(start):
            if os.path.splitext(named)[1] in (".jsonl", ".intoto") or b'"payload' in start:
                return [start + file.read()]
            return None
        data = start + file.read()
    lines = [line for line in data.splitlines(keepends=True) if line.strip()]
    alone = len(lines) > 1 and all(looks_like_envelope(line) for line in lines)
    return lines if alone else [data]


def on_record(index: Index, asked: Asked) -> list[bytes]:
    """Return the envelopes on record that are about the artifact, by what they say."""
    wanted = asked.md5.removesuffix(".dir")
    found = []
    for data in CHAIN.read_all(index.git_root).values():
        try:
            statement = read_statement(decode(data).payload)
        except InvalidEnvelope:
            continue
        if any(wanted in (one.digest.get("md5"), one.digest.get(FOLDER))
               for one in statement.subjects):  # fmt: skip
            found.append(data)
    return found


def _check(index: Index, data: bytes, target: Target | None, trust: Trust) -> Verdict:
    name = digest(data)
    try:
        envelope = decode(data)
        if envelope.payload_type != PAYLOAD_TYPE:
            raise InvalidEnvelope(f"it holds {envelope.payload_type!r}, no in-toto statement")
        signers, refused = judge(envelope, trust)
        if len(signers) < trust.threshold:
            return Verdict(name, tuple(_unsigned(signers, refused, trust)), tuple(signers))
        statement = read_statement(envelope.payload)
    except InvalidEnvelope as error:
        return Verdict(name, (Problem("envelope", None, "", error.message),))
    problems = list(_respelt(data, envelope, statement, signers))
    notes = [f"a signature does not count: {why}" for why in refused]
    content = _content(index, statement, target)
    asked = target.asked if target else None
    found, more = compare(index, statement, asked, same=not content)
    problems += content
    stage = statement.claim.stage if statement.claim else None
    told = [one._replace(stage=stage) for one in (*problems, *found)]
    return Verdict(name, tuple(told), tuple(signers), statement, (*notes, *more))


def _content(index: Index, statement: Statement, target: Target | None) -> list[Problem]:
    contents = Contents(index)
    try:
        if target is not None:
            return list(compare_target(contents, statement, target))
        return list(compare_files(index, contents, statement))
    except MlxError as error:
        return [Problem("content", None, "", str(error))]


def _unsigned(signers: Sequence[Signed], refused: Sequence[str], trust: Trust) -> Iterator[Problem]:
    for why in refused:
        yield Problem("signature", None, "", why)
    if signers or trust.threshold > 1:
        why = f"{len(signers)} of {trust.threshold} signatures that it needs count"
        yield Problem("signature", None, "", why)


def _respelt(
    data: bytes, envelope: Envelope, statement: Statement, signers: Iterable[Signed]
) -> Iterator[Problem]:
    """Find what nobody signs: an envelope of mlx's is as mlx writes it, or was touched."""
    if statement.claim is None:
        return
    keys = {one.key.keyid for one in signers}
    known = [one for one in envelope.signatures if one.keyid in keys]
    if not is_as_written(data, envelope) or len(known) < len(keys):
        why = "the envelope was changed outside of what is signed: a keyid, a name, or its spelling"
        yield Problem("envelope", None, "", why)

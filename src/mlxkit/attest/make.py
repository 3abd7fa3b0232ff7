"""Makes an envelope: a statement, signed; adds a signature to one; keeps both in Git."""

from collections.abc import Sequence

from mlxkit.attest.dsse import (
    PAYLOAD_TYPE,
    Envelope,
    InvalidEnvelope,
    Signature,
    decode,
    encode,
    pae,
)
from mlxkit.attest.keys import Signer
from mlxkit.attest.ledger import append
from mlxkit.attest.public_key import PublicKey
from mlxkit.attest.statement import Claim, Statement
from mlxkit.attest.statement import decode as read_statement
from mlxkit.attest.statement import encode as write_statement
from mlxkit.audit import log
from mlxkit.audit.event import Kind
from mlxkit.core.errors import MlxError
from mlxkit.runs.repository import identify

_MOST_NAMED = 1000


def sign(claim: Claim, signer: Signer) -> bytes:
    """Return the claim as a signed envelope; raises MlxError where the key does not sign."""
    return encode(_signed(Envelope(write_statement(claim), PAYLOAD_TYPE, ()), signer))


def add_signature(data: bytes, signer: Signer) -> bytes:
    """Return the envelope with one more signature; raises InvalidEnvelope, MlxError."""
    envelope = decode(data)
    if envelope.payload_type != PAYLOAD_TYPE:
        raise InvalidEnvelope(f"it holds {envelope.payload_type!r}, no in-toto statement")
    read_statement(envelope.payload)
    if any(one.keyid == signer.public.keyid for one in envelope.signatures):
        raise MlxError(f"the key {signer.public.fingerprint} has signed it already")
    return encode(_signed(envelope, signer))


def keep(
    git_root: str, envelopes: Sequence[bytes], key: PublicKey
) -> dict[str, tuple[bytes, Statement]]:
    """Keep envelopes in Git, and say so in the audit log; returns them by id.

    Raises MlxError where Git cannot.
    """
    who = identify(git_root)
    made = {append(git_root, one, who): (one, read_statement(decode(one).payload))
            for one in envelopes}  # fmt: skip
    names = [each.name for _, statement in made.values() for each in statement.subjects]
    what = {"attestations": list(made), "subjects": names[:_MOST_NAMED], "key": key.fingerprint}
    try:
        log.append(git_root, Kind.ATTESTED, what)
    except MlxError as error:
        error.message = f"it is attested and kept, but {error.message}"
        raise
    return made


def _signed(envelope: Envelope, signer: Signer) -> Envelope:
    to_sign = pae(envelope.payload_type, envelope.payload)
    signature = signer.sign(to_sign)
    if not signer.public.verifies(signature, to_sign):
        raise MlxError(f"the key {signer.public.fingerprint} made a signature that does not fit")
    one = Signature(signer.public.keyid, signature)
    return envelope._replace(signatures=(*envelope.signatures, one))

"""The DSSE envelope: a payload, its type, and signatures over both. Pure.

As https://github.com/secure-systems-lab/dsse has it (protocol and JSON envelope, version 1.0).
"""

import base64
import binascii
import json
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
LARGEST = 64 << 20
"""Bytes; a larger file is no envelope of ours."""


class InvalidEnvelope(MlxError):
    """What should be a signed envelope is not one."""

    code = "invalid-attestation"


class Signature(NamedTuple):
    """One signature; `keyid` is a hint that nobody vouches for, empty where there is none."""

    keyid: str
    sig: bytes


class Envelope(NamedTuple):
    """A payload as it was signed, byte for byte."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return what is signed: the pre-authentication encoding of a payload and its type."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def document(envelope: Envelope) -> dict[str, Any]:
    """Return the envelope as plain JSON values."""
    return {
        "payload": base64.b64encode(envelope.payload).decode("ascii"),
        "payloadType": envelope.payload_type,
        "signatures": [
            {"keyid": one.keyid, "sig": base64.b64encode(one.sig).decode("ascii")}
            for one in envelope.signatures
        ],
    }


def encode(envelope: Envelope) -> bytes:
    """Return the envelope as one line of JSON."""
    text = json.dumps(document(envelope), sort_keys=True, separators=(",", ":"))
    return text.encode("ascii") + b"\n"


def decode(data: bytes) -> Envelope:
    """Read an envelope that anybody may have written; raises InvalidEnvelope, which says why."""
    found = _parsed(data)
    payload, kind = found.get("payload"), found.get("payloadType")
    signatures = found.get("signatures")
    if not isinstance(kind, str) or not kind:
        raise InvalidEnvelope("it has no `payloadType`: it is no DSSE envelope")
    if not isinstance(signatures, list) or not signatures:
        raise InvalidEnvelope("it has no `signatures`")
    try:
        kind.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidEnvelope("its `payloadType` is no text") from None
    return Envelope(_base64(payload, "payload"), kind, tuple(_signature(one) for one in signatures))


def looks_like_one(data: bytes) -> bool:
    """Tell whether a file means to be an envelope, whole or damaged."""
    return data.lstrip()[:1] == b"{" and b'"payload' in data and b'"signatures' in data


def is_as_written(data: bytes, envelope: Envelope) -> bool:
    """Tell whether the file says just what `encode` would: nothing added, nothing respelt."""
    return bool(_parsed(data) == document(envelope))


def _parsed(data: bytes) -> dict[str, Any]:
    if len(data) > LARGEST:
        raise InvalidEnvelope("it is too large to be an envelope")
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise InvalidEnvelope(f"it is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidEnvelope("it is no JSON object")
    return found


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object; raises ValueError for a name that is there twice.

    Two readers could take a different one of them.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is in an object twice")
    return found


def _signature(found: Any) -> Signature:
    if not isinstance(found, dict):
        raise InvalidEnvelope("a signature is no JSON object")
    keyid = found.get("keyid") or ""
    if not isinstance(keyid, str):
        raise InvalidEnvelope("the `keyid` of a signature is no text")
    return Signature(keyid, _base64(found.get("sig"), "sig"))


def _base64(text: Any, name: str) -> bytes:
    """Read either alphabet, as the format asks for, but no character outside of it."""
    if not isinstance(text, str):
        raise InvalidEnvelope(f"it has no `{name}`")
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidEnvelope(f"its `{name}` is not base64: {error}") from None

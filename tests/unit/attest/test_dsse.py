"""The envelope, byte for byte as the format has it."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from mlxkit.attest import dsse
from mlxkit.attest.dsse import Envelope, InvalidEnvelope, Signature


def test_the_specifications_own_example() -> None:
    encoded = dsse.pae("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_lengths_are_of_bytes() -> None:
    assert dsse.pae("ä", b"") == b"DSSEv1 2 \xc3\xa4 0 "
    assert dsse.pae("", b"\x00 1 ") == b"DSSEv1 0  4 \x00 1 "


@given(st.text(st.characters(exclude_categories=["Cs"])), st.binary(), st.text(), st.binary())
def test_no_two_messages_have_one_encoding(
    kind: str, payload: bytes, other_kind: str, other: bytes
) -> None:
    try:
        second = dsse.pae(other_kind, other)
    except UnicodeEncodeError:
        return
    assert (dsse.pae(kind, payload) == second) == ((kind, payload) == (other_kind, other))


signatures = st.lists(
    st.builds(Signature, st.text("0123456789abcdef"), st.binary(min_size=1)), min_size=1
)


@given(st.binary(), st.sampled_from(["application/vnd.in-toto+json", "x"]), signatures)
def test_there_and_back(payload: bytes, kind: str, signed: list[Signature]) -> None:
    envelope = Envelope(payload, kind, tuple(signed))
    data = dsse.encode(envelope)
    assert dsse.decode(data) == envelope
    assert dsse.is_as_written(data, envelope)
    assert data.endswith(b"}\n") and data.count(b"\n") == 1


@given(st.binary(max_size=80))
def test_anything_is_an_envelope_or_an_error(data: bytes) -> None:
    try:
        dsse.decode(data)
    except InvalidEnvelope as error:
        assert error.message


GOOD: dict[str, Any] = {
    "payload": base64.b64encode(b"\xfb\xff?").decode(),
    "payloadType": "x",
    "signatures": [{"keyid": "k", "sig": "AAAA"}],
}


def decode(**changed: Any) -> Envelope:
    return dsse.decode(json.dumps({**GOOD, **changed}).encode())


def test_either_alphabet_and_fields_to_come() -> None:
    assert decode(payload="+/8/").payload == decode(payload="-_8_").payload == b"\xfb\xff?"
    assert decode(later=1) == decode()
    assert decode(signatures=[{"sig": "AAAA"}]).signatures[0].keyid == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"payload": None},
        {"payload": 3},
        {"payload": "a"},
        {"payload": "AA A"},
        {"payload": "AAAA\n"},
        {"payloadType": None},
        {"payloadType": ""},
        {"payloadType": "\ud800"},
        {"signatures": None},
        {"signatures": []},
        {"signatures": ["x"]},
        {"signatures": [{"keyid": "k"}]},
        {"signatures": [{"keyid": 3, "sig": "AAAA"}]},
        {"signatures": [{"keyid": "k", "sig": "%"}]},
    ],
)
def test_what_is_no_envelope(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidEnvelope):
        decode(**changed)


def test_a_name_that_is_there_twice() -> None:
    """One reader would take the first, another the last."""
    data = b'{"payload":"AAAA","payload":"BBBB","payloadType":"x","signatures":[{"sig":"AAAA"}]}'
    with pytest.raises(InvalidEnvelope, match="twice"):
        dsse.decode(data)


def test_nested_to_death() -> None:
    with pytest.raises(InvalidEnvelope):
        dsse.decode(b"[" * 100_000)


def test_a_plain_signature_over_the_encoding() -> None:
    """What any ed25519 library makes of the same bytes: nothing of SSH's is around it."""
    from mlxkit.attest.public_key import PublicKey

    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = PublicKey(private.public_key().public_bytes_raw())
    data = dsse.pae(dsse.PAYLOAD_TYPE, b"{}")
    assert data == b"DSSEv1 28 application/vnd.in-toto+json 2 {}"
    assert public.verifies(private.sign(data), data)
    assert not public.verifies(private.sign(data), data + b" ")
    assert not public.verifies(b"", data)

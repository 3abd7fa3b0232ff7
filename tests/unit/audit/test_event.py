"""One event is one sequence of bytes, and the other way round."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxkit.audit.event import Event, Kind, Person, decode, digest, encode, timestamp
from mlxkit.core.errors import MlxError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
EVENT = Event(Kind.GC, Person("Ann", "a@b"), "2026-01-02T03:04:05.678Z", {"n": 1}, "", 1, "1.0")
EVENTS = st.builds(
    Event,
    st.sampled_from([str(kind) for kind in Kind]),
    st.builds(Person, TEXT, TEXT),
    st.integers(0, 253402300799 * 10**9).map(timestamp),
    st.dictionaries(TEXT, JSON, max_size=3),
    st.just(digest(b"before")),
    st.integers(1),
    TEXT,
)


@given(event=EVENTS)
def test_comes_back(event: Event) -> None:
    data = encode(event)
    assert decode(data) == event
    assert encode(decode(data)) == data


def test_bytes_are_what_the_design_says() -> None:
    assert encode(EVENT._replace(what={"b": "é", "a": [1, None]})) == (
        b'{"format":1,"kind":"gc","mlx":"1.0","number":1,"previous":"",'
        b'"what":{"a":[1,null],"b":"\xc3\xa9"},"when":"2026-01-02T03:04:05.678Z",'
        b'"who":{"email":"a@b","name":"Ann"}}'
    )
    assert EVENT.milliseconds == 1767323045678
    assert timestamp(1767323045678 * 10**6 + 999999) == EVENT.when


@pytest.mark.parametrize("what", [{"x": float("nan")}, {"x": {1}}, {"x": b""}, {"x": "\ud800"}])
def test_what_is_plain_json(what: dict[str, Any]) -> None:
    with pytest.raises(MlxError, match="no plain JSON"):
        encode(EVENT._replace(what=what))


def _changed(**changes: Any) -> bytes:
    document = {**json.loads(encode(EVENT)), **changes}
    kept = {key: value for key, value in document.items() if value is not ...}
    return json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}", b"\xff", b'{"format":1}', b"[" * 100,
        encode(EVENT) + b"\n", encode(EVENT).replace(b":1,", b": 1,", 1),
        encode(EVENT).replace(b'"kind":"gc"', b'"kind":"gc","kind":"gc"'),
        _changed(format=2), _changed(who=...), _changed(who={"name": "x"}), _changed(who={}),
        _changed(kind=1), _changed(what=[]), _changed(number="1"), _changed(number=True),
        _changed(when="yesterday"), _changed(when="2026-01-02T03:04:05.6Z"), _changed(more=1),
        _changed(when="2026-13-02T03:04:05.678Z"),
    ],
)  # fmt: skip
def test_other_bytes_are_no_event(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(data)

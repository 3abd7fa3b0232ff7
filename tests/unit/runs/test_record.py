"""Records: one form for each, named by it; strangers' records are read with care."""

import datetime
import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlxkit.runs.record import (
    InvalidRecord,
    Item,
    Record,
    canonical,
    decode,
    digest,
    document,
    encode,
    plain,
)

from .records import record

NAMES = st.text(min_size=1).filter(lambda name: "\0" not in name)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def read(told: Any) -> Record:
    data = canonical(told)
    return decode(data, digest(data))


def test_what_is_written_is_read() -> None:
    one = record(dirty=True, left_out=(Item("x", None, 7),), left_out_more=2, commit="d" * 40)
    assert decode(encode(one), digest(encode(one))) == one


PARAMS = st.dictionaries(st.text(), st.dictionaries(st.text(), VALUES, max_size=2), max_size=2)
LATER = st.dictionaries(st.text(min_size=1).map("later-{}".format), VALUES, max_size=2)


@settings(max_examples=60, deadline=None)
@given(NAMES, NAMES, st.none() | st.text(), st.integers(1 - 2**63, 2**63 - 1), PARAMS, LATER)
def test_any_record_is_read_as_it_was_written(
    name: str, path: str, cmd: str | None, size: int, params: Any, later: Any
) -> None:
    deps = (Item(path, size=size, extra=later),)
    one = record(stage=name, cmd=cmd, deps=deps, params=params, extra=later)
    data = encode(one)
    assert decode(data, digest(data)) == one
    assert encode(decode(data, digest(data))) == data


def test_one_form() -> None:
    data = encode(record())
    assert data == encode(record())
    assert json.loads(data)["format"] == 1
    assert data == canonical(json.loads(data))
    assert b" " not in data.replace(b"python train.py", b"")
    assert b"\n" not in encode(record(cmd="one\ntwo")), "a journal has one on each line"


def test_keys_of_later_formats_are_kept() -> None:
    told = {**document(record()), "format": 2, "later": {"x": [1]}}
    told["outs"] = [{"path": "m", "md5": None, "size": None, "newer": True}]
    one = read(told)
    assert one.extra == {"later": {"x": [1]}, "format": 2}
    assert one.outs[0].extra == {"newer": True}
    assert encode(one) == canonical(told)


def test_names_that_are_not_text() -> None:
    name = os.fsdecode(b"caf\xe9 \xc3\xa9")
    one = record(deps=(Item(name),))
    assert decode(encode(one), digest(encode(one))).deps[0].path == name
    encode(one).decode("utf-8")


def test_values_that_json_has_no_word_for() -> None:
    given = {
        1: (1, 2), "nan": float("nan"), "inf": float("-inf"), "day": datetime.date(2026, 1, 2),
        "deep": {None: [float("inf")]}, "yes": True,
    }  # fmt: skip
    assert plain(given) == {
        "1": [1, 2], "nan": "nan", "inf": "-inf", "day": "2026-01-02",
        "deep": {"None": ["inf"]}, "yes": True,
    }  # fmt: skip
    canonical(plain(given))


def test_the_name_must_be_the_digest() -> None:
    data = encode(record())
    for name, text in ((digest(data), data + b" "), ("0" * 64, data), ("../../x", data)):
        with pytest.raises(InvalidRecord, match="not what its id says"):
            decode(text, name)


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"{", b"NaN", b'{"format": 1e999}', b"[" * 100_000, b"9" * 10_000],
    ids=["nothing", "bytes", "cut", "nan", "huge", "deep", "long number"],
)  # fmt: skip
def test_what_is_not_json(data: bytes) -> None:
    with pytest.raises(InvalidRecord):
        decode(data, digest(data))


WRONG: list[dict[str, Any]] = [
    {"format": None}, {"format": "1"}, {"format": 0}, {"format": True}, {"stage": ""},
    {"stage": 5}, {"stage": None}, {"outcome": []}, {"started": None}, {"cmd": {"a": 1}},
    {"cmd": [1]}, {"deps": {}}, {"deps": ["x"]}, {"deps": [{}]}, {"deps": [{"path": ""}]},
    {"deps": [{"path": "a\0b"}]}, {"outs": [{"path": "a", "md5": 5}]},
    {"outs": [{"path": "a", "size": "5"}]}, {"outs": [{"path": "a", "size": True}]},
    {"outs": 5}, {"params": []}, {"params": {"p": 1}}, {"reasons": ["x"]}, {"dirty": "yes"},
    {"dirty": 1}, {"commit": 5}, {"host": []}, {"cost": "x"}, {"seconds": "1"},
    {"seconds": False}, {"exit_code": 1.5}, {"left_out": [[]]}, {"env": {}},
    {"commit": "--output=x"}, {"commit": "HEAD"}, {"snapshot": "-" * 40}, {"tree": ""},
    {"env": "e" * 63}, {"outs": [{"path": "a", "size": 2**63}]}, {"left_out_more": -(2**63)},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_fields_that_are_not_what_they_should_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRecord):
        read({**document(record()), **wrong})


def test_numbers_that_no_number_is_and_depths_that_nobody_walks() -> None:
    text = encode(record(seconds=1.25)).replace(b"1.25", b"1e999")
    with pytest.raises(InvalidRecord, match="is no number"):
        decode(text, digest(text))
    deep: Any = 1
    for _ in range(120):
        deep = [deep]
    for told in ({"params": {"p": {"a": deep}}}, {"cost": {"a": deep}}, {"later": deep}):
        with pytest.raises(InvalidRecord, match="nested too deeply"):
            read({**document(record()), **told})


@pytest.mark.parametrize("told", [[], 5, None, "x", {}])
def test_what_is_no_record(told: Any) -> None:
    with pytest.raises(InvalidRecord):
        read(told)


@settings(max_examples=100, deadline=None)
@given(VALUES, st.sampled_from(sorted(document(record()))))
def test_anything_in_any_field_is_read_or_refused(value: Any, key: str) -> None:
    try:
        one = read({**document(record()), key: value})
    except InvalidRecord:
        return
    encode(one)

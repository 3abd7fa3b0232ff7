"""`--sweep` is read, counted and made as it is documented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxkit.core.errors import UsageError
from mlxkit.experiments.sweep import parse_sweep


def _made(text: str) -> list[tuple[str, ...]]:
    return list(parse_sweep(text).combinations())


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=1,2,5", ["1", "2", "5"]),
        ("a=3..6", ["3", "4", "5", "6"]),
        ("a=7..15..4", ["7", "11", "15"]),
        ("a=8..3..-2", ["8", "6", "4"]),
        ("a=-2..1", ["-2", "-1", "0", "1"]),
        ("a=0.1..0.5..0.1", ["0.1", "0.2", "0.3", "0.4", "0.5"]),
        ("a=1e-3..3e-3..1e-3", ["0.001", "0.002", "0.003"]),
        ("a=1..2..0.5", ["1.0", "1.5", "2.0"]),
        ("a=1,5..7,x", ["1", "5", "6", "7", "x"]),
        ("a=[1,2],[3;4]", ["[1,2]", "[3;4]"]),
        ("a='x,y;z',{b: 1, c: 2}", ["'x,y;z'", "{b: 1, c: 2}"]),
        ("a=..", [".."]),
        ("a=v1..2", ["v1..2"]),
    ],
)
def test_values_of_one_key(text: str, values: list[str]) -> None:
    assert _made(text) == [(f"a={value}",) for value in values]
    assert parse_sweep(text).count == len(values)


def test_keys_are_combined_and_the_last_changes_fastest() -> None:
    assert _made("f.yaml:a=1,2; b.c=3,4;") == [
        ("f.yaml:a=1", "b.c=3"),
        ("f.yaml:a=1", "b.c=4"),
        ("f.yaml:a=2", "b.c=3"),
        ("f.yaml:a=2", "b.c=4"),
    ]


@pytest.mark.parametrize("text", ["a=", "a=5..3", "a=1..3..-1", "a=1,2;b=3..1"])
def test_what_has_no_runs_is_counted_as_none(text: str) -> None:
    assert parse_sweep(text).count == 0
    assert _made(text) == []


def test_many_runs_are_counted_without_being_made() -> None:
    assert parse_sweep("a=1..1000000000000;b=1..1000000000000").count == 10**24


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no parameter"),
        (";", "names no parameter"),
        ("a", "'a' has no values"),
        ("=1", "has no values"),
        ("~a=1", "has no values"),
        ("a=1,,2", "an empty value"),
        ("a=0.1..0.5", "needs a step"),
        ("a=1..2..0", "step of '1..2..0' is 0"),
        ("a=..3", "no beginning"),
        ("a=1;a=2", "a is there twice"),
        ("a=[1,2", "] is missing"),
        ("a='x", "' is missing"),
    ],
)
def test_what_is_no_sweep_says_why(text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_sweep(text)
    assert said in str(error.value)
    assert error.value.hint


@given(st.text(alphabet="ab=,;.[]{}()'\"\\0123-+e ~:\n", max_size=40))
def test_any_text_is_a_sweep_or_refused(text: str) -> None:
    try:
        sweep = parse_sweep(text)
    except UsageError:
        return
    if sweep.count <= 10_000:
        assert len(list(sweep.combinations())) == sweep.count

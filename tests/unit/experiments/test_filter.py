"""Conditions on experiments: a small language, of which nothing is executed."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxkit.core.errors import UsageError
from mlxkit.experiments.filter import Filter

VALUES: dict[str, Any] = {
    "acc": 0.75,
    "train.lr": 0.1,
    "kind": "tree",
    "on": True,
    "tags": ["a", "b"],
    "nan": math.nan,
    "inf": math.inf,
    "m/a.json:x-y": 3,
    "gone": None,
}


@pytest.mark.parametrize("text", [
    "acc > 0.7", "0.7 < acc <= 0.75", "acc > 0.7 and train.lr <= .1", "acc < 0 or kind == 'tree'",
    "not acc < 0", "kind in ['tree', 'net']", "kind not in ('net',)", "'a' in tags", "on",
    "on == true", "on is not None", "gone is None", "other is none", "`m/a.json:x-y` == 3",
    "`train.lr` == 0.1", "acc > -1", "kind == \"tree\"", "inf > 1e300", "nan != nan",
    "'re' in kind",
    "acc >\n0.7", "(acc > 0.7)", "acc == 0.75 or other > 1", "kind == '`x`' or on",
])  # fmt: skip
def test_holds(text: str) -> None:
    assert Filter(text).holds(VALUES)


@pytest.mark.parametrize("text", [
    "acc > 0.8", "not acc", "kind == 'net'", "nan > 0", "acc > 'a'", "kind > 3", "3 in kind",
])  # fmt: skip
def test_does_not_hold(text: str) -> None:
    assert not Filter(text).holds(VALUES)


@pytest.mark.parametrize("text", ["other > 1", "gone > 1", "kind > 3", "other == 1", "other"])
def test_of_what_is_unknown_neither_it_nor_its_opposite_holds(text: str) -> None:
    assert not Filter(text).holds(VALUES)
    assert not Filter(f"not ({text})").holds(VALUES)


@pytest.mark.parametrize("text", [
    "", "acc >", "acc > 1 and", "f(x)", "__import__('os').system('x')", "a[0]", "lambda: 1",
    "x := 3", "a-b > 1", "1 + 1", "a if b else c", "{1: 2}", "f'{a}'", "b'x'", "1j > 0", "*a",
    "[x for x in y]", "a.b().c", "acc > 1; acc", "import os", "-kind", "'a' 'b' > ", "...",
    "(" * 500,
    "not " * 20000, "(" * 90 + "1" + ")" * 90 + " >", "9" * 5000 + " > acc", "a\0b",
    "`unclosed > 1", "acc is 3", "acc is kind",
])  # fmt: skip
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Filter(text)
    assert "--filter" in caught.value.message


def test_names_as_they_were_written() -> None:
    assert Filter("acc > 1 and `a b:c` == train.lr or not acc").names == [
        "acc", "a b:c", "train.lr", "acc",
    ]  # fmt: skip


@given(st.text(max_size=40))
def test_anything_is_a_condition_or_a_clear_error(text: str) -> None:
    try:
        Filter(text).holds(VALUES)
    except UsageError:
        pass

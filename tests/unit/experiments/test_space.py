"""What a search may try."""

import random

import optuna
import pytest

from mlxkit.core.errors import UsageError
from mlxkit.experiments.space import Choices, Grid, Real, Space, Whole, parse_space


def only(text: str) -> object:
    (dimension,) = parse_space(text).dimensions.values()
    return dimension


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k=a,b,c", Choices(("a", "b", "c"))),
        ("k=a", Choices(("a",))),
        ("k=a,b,a", Choices(("a", "b"))),
        ("k=[1,2],[3]", Choices(("[1,2]", "[3]"))),
        ("k=1,5..7", Choices(("1", "5", "6", "7"))),
        ("k=0.001..0.1", Real(0.001, 0.1)),
        ("k=0..1.5", Real(0, 1.5)),
        ("k= 1e-4..1e-1 log ", Real(1e-4, 1e-1, log=True)),
        ("k=1..1000 log", Whole(1, 1000)),
        ("k=-1.5..-0.5", Real(-1.5, -0.5)),
    ],
)
def test_dimensions(text: str, expected: object) -> None:
    assert only(text) == expected


def test_ranges_with_steps() -> None:
    for text, values in (
        ("k=1..4", ["1", "2", "3", "4"]),
        ("k=0.1..0.4..0.1", ["0.1", "0.2", "0.3", "0.4"]),
        ("k=2..10..3", ["2", "5", "8"]),
        ("k=3..1..-1", ["3", "2", "1"]),
    ):
        found = only(text)
        assert isinstance(found, Grid)
        assert list(found.texts()) == values


def test_several_keys_and_files() -> None:
    space = parse_space("train.lr=0.1..0.2;conf/p.yaml:depth=1..3; k=a,b;")
    assert list(space.dimensions) == ["train.lr", "conf/p.yaml:depth", "k"]
    assert space.count is None
    assert parse_space("a=1..3;b=x,y").count == 6


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *(("", "nothing to search"), ("k", "has no values"), ("k=", "no values")),
        *(("=1,2", "has no values"), ("k=5..1", "no values"), ("k=0.5..0.1", "ends before")),
        *(("k=0..1 log", "above 0"), ("k=-1..1 log", "above 0"), ("k=1..9..2 log", "not both")),
        *(("k=1..2;k=3,4", "twice"), ("k=1..2..0", "step"), ("k=1,,2", "empty")),
        *(("k=0..1e999", "too large"), ("k=a,1..100000", "too many"), ("k=[1,2", "missing")),
    ],
)
def test_what_is_no_space(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_space(text)


SPACES = "k=a,b,c | k=1..9 | k=0.1..0.9..0.2 | k=1..64 log | k=0.001..0.1 | k=1e-5..1 log | k=2..2"


@pytest.mark.parametrize("text", [one.strip() for one in SPACES.split("|")])
def test_texts_and_optuna_mean_the_same(text: str) -> None:
    space = parse_space(text)
    (one,) = space.dimensions.values()
    chance = random.Random(0)
    kind = one.distribution(optuna.distributions)
    texts = [*(one.draw(chance) for _ in range(50)), *one.texts()]
    for drawn in texts:
        inner = one.inner(drawn)
        assert kind._contains(kind.to_internal_repr(inner)), drawn
        assert one.text(inner) == drawn
        assert space.values([f"k={drawn}", "other=1"]) == {"k": drawn}
    assert one.count is None or len(set(one.texts())) == one.count


def test_settings_of_another_search() -> None:
    space = parse_space("k=a,b;d=1..3")
    assert space.values(["k=a"]) is None
    assert space.values(["k=z", "d=1"]) is None
    assert space.values(["k=a", "d=9"]) is None
    assert space.values(["d=3", "k=a"]) == {"k": "a", "d": "3"}


def test_all_of_a_space() -> None:
    space = Space({"a": Choices(("x", "y")), "b": Whole(1, 2)})
    assert [tuple(one.values()) for one in space.all()] == [
        *(("x", "1"), ("x", "2"), ("y", "1"), ("y", "2")),
    ]

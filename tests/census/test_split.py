"""The split: right years, nobody lost, nobody twice, same answers on the same side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from census.columns import ANSWERS, LABEL, ROW, WEIGHT, YEAR
from census.split import answers_to_unit, split

if TYPE_CHECKING:
    import pandas as pd


@pytest.fixture(scope="module")
def parts(census: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return split(census, seed=2019, train=0.7, valid=0.15)


def test_each_row_is_in_exactly_one_split(
    census: pd.DataFrame, parts: dict[str, pd.DataFrame]
) -> None:
    rows = np.concatenate([part[ROW].to_numpy() for part in parts.values()])
    assert sorted(rows) == list(range(len(census)))


def test_1995_is_later_and_nothing_else(parts: dict[str, pd.DataFrame]) -> None:
    assert {name: set(part[YEAR]) for name, part in parts.items()} == {
        "train": {94},
        "valid": {94},
        "test": {94},
        "later": {95},
    }


def test_people_with_the_same_answers_stay_together(parts: dict[str, pd.DataFrame]) -> None:
    seen = {
        name: set(parts[name][list(ANSWERS)].itertuples(index=False, name=None))
        for name in ("train", "valid", "test")
    }
    repeated = len(parts["train"]) - len(seen["train"])
    assert repeated > 100, "the sample has too few repeated answers to show anything"
    assert not seen["train"] & seen["valid"]
    assert not seen["train"] & seen["test"]
    assert not seen["valid"] & seen["test"]


def test_shares_are_about_what_was_asked_for(parts: dict[str, pd.DataFrame]) -> None:
    sizes = {name: len(parts[name]) for name in ("train", "valid", "test")}
    total = sum(sizes.values())
    assert sizes["train"] / total == pytest.approx(0.7, abs=0.03)
    assert sizes["valid"] / total == pytest.approx(0.15, abs=0.03)


def test_place_depends_on_answers_and_seed_alone(census: pd.DataFrame) -> None:
    place = answers_to_unit(census, 1)
    assert ((place >= 0) & (place < 1)).all()
    changed = census.copy()
    changed[WEIGHT], changed[LABEL], changed[YEAR] = 1.0, "?", 0
    assert (answers_to_unit(changed, 1) == place).all()
    # Rows that are added or moved leave the others where they are.
    backwards = census.iloc[::-1]
    assert (answers_to_unit(backwards, 1) == place[::-1]).all()
    assert (answers_to_unit(census.head(100), 1) == place[:100]).all()
    assert (answers_to_unit(census, 2) != place).mean() > 0.99

"""A good split passes; each way of being wrong is named."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from census.columns import LABEL, POSITIVE, WEIGHT
from census.split import split
from census.validate import describe, problems

PARAMS: dict[str, Any] = {
    "years": {"train": [94]},
    "rows": {"train": [1500, 2500]},
    "positive_share": [0.03, 0.09],
}


@pytest.fixture(scope="module")
def train(census: pd.DataFrame) -> pd.DataFrame:
    return split(census, seed=2019, train=0.7, valid=0.15)["train"].head(2000)


def test_a_good_split_passes(train: pd.DataFrame) -> None:
    assert problems(train, PARAMS, "train") == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (LABEL, "maybe"),
        ("sex", "?"),
        ("race", "white"),
        ("age", 91),
        ("weeks_worked_in_year", -1),
        ("year", 95),
        ("education", ""),
        (WEIGHT, 0.0),
        ("row", -1),
    ],
)
def test_one_wrong_value_is_found(train: pd.DataFrame, column: str, value: Any) -> None:
    wrong = train.copy()
    wrong.loc[wrong.index[7], column] = value
    (line,) = problems(wrong, PARAMS, "train")
    assert line.startswith(f"{column}: ")
    assert line.endswith(", 1 times")


def test_a_missing_value_is_found(train: pd.DataFrame) -> None:
    wrong = train.assign(education=train["education"].where(train["education"] != "Children"))
    assert any(
        line.startswith("education: not_nullable") for line in problems(wrong, PARAMS, "train")
    )


def test_another_column_is_found(train: pd.DataFrame) -> None:
    (line,) = problems(train.assign(income_next_year=1), PARAMS, "train")
    assert "column_in_schema" in line


def test_a_row_twice_is_found(train: pd.DataFrame) -> None:
    twice = pd.concat([train, train.head(1)])
    assert any("field_uniqueness" in line for line in problems(twice, PARAMS, "train"))


def test_too_few_rows_are_found(train: pd.DataFrame) -> None:
    found = problems(train.head(1000), PARAMS, "train")
    assert "rows is 1000, allowed 1500 to 2500" in found


def test_too_many_positives_are_found(train: pd.DataFrame) -> None:
    rich = train.assign(**{LABEL: POSITIVE})
    assert problems(rich, PARAMS, "train") == ["positive share is 1, allowed 0.03 to 0.09"]


def test_description_by_hand(train: pd.DataFrame) -> None:
    rows = pd.concat([train.head(3), train.head(1)]).assign(
        age=[14, 15, 40, 14], country_of_birth_self=["?", "Peru", "Peru", "?"]
    )
    report = describe(rows)
    assert report["rows"] == 4
    assert report["under_15_share"] == 0.5
    assert report["repeated_answers_share"] == 0.25
    assert report["unknown_share"]["country_of_birth_self"] == 0.5

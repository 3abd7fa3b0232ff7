"""Features: only what is listed, nothing learnt outside train, no way in for weight or label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from census.columns import COLUMNS, LABEL, ROW, WEIGHT, YEAR
from census.features import OTHER, encode, features
from census.vocabulary import levels, refuse_forbidden

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def params() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    section: dict[str, Any] = document["features"]
    return section


@pytest.fixture(scope="module")
def numbered(census: pd.DataFrame) -> pd.DataFrame:
    return census.assign(**{ROW: range(len(census))})


@pytest.fixture(scope="module")
def vocabulary(params: dict[str, Any], census: pd.DataFrame) -> dict[str, list[str]]:
    return {name: levels(census[name].astype(str), 30) for name in params["categorical"]}


def make(
    frame: pd.DataFrame, vocabulary: dict[str, list[str]], params: dict[str, Any]
) -> pd.DataFrame:
    return features(frame, vocabulary, numeric=params["numeric"], money=params["money"])


@pytest.mark.parametrize("name", [WEIGHT, LABEL, YEAR, ROW])
def test_what_is_never_a_feature_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        refuse_forbidden(["age", name])


def test_the_committed_list_is_allowed_and_known(params: dict[str, Any]) -> None:
    listed = [*params["numeric"], *params["money"], *params["categorical"]]
    refuse_forbidden(listed)
    assert len(listed) == len(set(listed))
    assert set(listed) <= set(COLUMNS)


def test_nothing_but_the_listed_columns_comes_out(
    numbered: pd.DataFrame, vocabulary: dict[str, list[str]], params: dict[str, Any]
) -> None:
    table = make(numbered, vocabulary, params)
    listed = [*params["numeric"], *params["money"], *params["categorical"]]
    assert list(table.columns) == [ROW, *listed]
    assert table.notna().all(axis=None)


def test_weight_year_label_and_protected_columns_change_no_feature(
    numbered: pd.DataFrame, vocabulary: dict[str, list[str]], params: dict[str, Any]
) -> None:
    other = numbered.assign(sex="?", race="?", hispanic_origin="?")
    other[WEIGHT], other[LABEL], other[YEAR] = 0.0, "50000+.", 95
    pd.testing.assert_frame_equal(
        make(numbered, vocabulary, params), make(other, vocabulary, params)
    )


def test_no_single_feature_gives_the_label_away(
    numbered: pd.DataFrame, vocabulary: dict[str, list[str]], params: dict[str, Any]
) -> None:
    label = numbered[LABEL] == "50000+."
    table = make(numbered, vocabulary, params).drop(columns=ROW)
    assert table.corrwith(label.astype(float)).abs().max() < 0.5


def test_rare_answers_are_no_level_but_not_known_is_one() -> None:
    answers = pd.Series(["b"] * 3 + ["a"] * 2 + ["?"] * 2 + ["rare"])
    assert levels(answers, 2) == ["?", "a", "b"]


def test_an_answer_never_seen_in_train_is_other() -> None:
    codes = encode(pd.Series(["a", "never seen", "b", "?"]), ["?", "a", "b"])
    assert codes.tolist() == [2, OTHER, 3, 1]


def test_amounts_are_logged(params: dict[str, Any], numbered: pd.DataFrame) -> None:
    frame = numbered.head(2).assign(capital_gains=[0, 99999])
    table = make(frame, {}, params)
    assert table["capital_gains"].tolist() == pytest.approx([0, 11.512925])

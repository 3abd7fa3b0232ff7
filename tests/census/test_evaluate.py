"""Metrics files: nested by slice, and without what is not defined."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from census.evaluate import by_slice, overall
from census.files import write_json
from census.measures import precision_recall
from census.plot import curve_points, slice_points
from census.predict import age_bands, slice_key

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def predictions() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sex": ["female", "female", "male", "male"],
            "race": ["white", "black", "white", "white"],
            "age_band": ["0_14", "25_34", "25_34", "25_34"],
            "label": np.array([0, 1, 1, 0], dtype=np.int8),
            "score": [0.0, 0.4, 0.9, 0.6],
        }
    )


def test_overall_by_hand(predictions: pd.DataFrame) -> None:
    label, score = predictions["label"].to_numpy(), predictions["score"].to_numpy()
    metrics = overall(label, score, threshold=0.5, precision=0.75, bins=2)
    assert metrics["rows"] == 4
    assert metrics["pr_auc"] == pytest.approx(1 / 2 + 1 / 2 * 2 / 3)
    assert metrics["recall_at_precision"] == 0.5
    assert metrics["precision"] == 0.5
    assert metrics["recall"] == 0.5
    assert metrics["accuracy"] == 0.5
    assert metrics["majority_accuracy"] == 0.5


def test_slices_are_nested_and_cut_the_rows(predictions: pd.DataFrame) -> None:
    slices = by_slice(predictions, threshold=0.5, bins=2)
    assert list(slices) == ["sex", "race", "age_band"]
    for values in slices.values():
        assert sum(value["rows"] for value in values.values()) == len(predictions)
    assert slices["sex"]["male"]["precision"] == 0.5
    assert slices["sex"]["male"]["recall"] == 1
    assert slices["sex"]["female"]["recall"] == 0


def test_what_is_not_defined_in_a_slice_is_left_out(predictions: pd.DataFrame) -> None:
    children = by_slice(predictions, threshold=0.5, bins=2)["age_band"]["0_14"]
    assert {"recall", "precision", "pr_auc"}.isdisjoint(children)
    assert children["flagged_share"] == 0
    drawn = slice_points(predictions, 0.5)
    assert "age_band=0_14" not in set(drawn["slice"])
    assert drawn.set_index("slice")["recall"]["sex=male"] == 1


def test_ages_fall_into_bands_by_their_start() -> None:
    ages = np.array([0, 14, 15, 24, 25, 64, 65, 90], dtype=np.int32)
    bands = ["0_14", "0_14", "15_24", "15_24", "25_64", "25_64", "65_over", "65_over"]
    assert age_bands(ages, [15, 25, 65]) == bands


def test_answers_become_keys() -> None:
    assert slice_key("Amer Indian Aleut or Eskimo") == "amer_indian_aleut_or_eskimo"


def test_a_drawn_curve_never_flatters(predictions: pd.DataFrame) -> None:
    curve = precision_recall(predictions["label"].to_numpy(), predictions["score"].to_numpy())
    points = curve_points(curve, 4)
    assert points["recall"].tolist() == [0.25, 0.5, 0.75, 1.0]
    assert points["precision"].tolist() == pytest.approx([1, 1, 2 / 3, 2 / 3])


def test_metrics_files_are_rounded_json(tmp_path: Path) -> None:
    path = tmp_path / "metrics" / "one.json"
    write_json({"a": {"b": 0.123456, "n": 7}, "none": None}, str(path))
    assert json.loads(path.read_text()) == {"a": {"b": 0.1235, "n": 7}, "none": None}
    with pytest.raises(ValueError, match="JSON"):
        write_json({"a": float("nan")}, str(path))

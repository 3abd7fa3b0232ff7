"""`noise`: measures as scikit-learn has them, and what the paired bootstrap makes of them."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from mlxkit.gates.bootstrap import paired
from mlxkit.gates.measures import prepare
from mlxkit.gates.verdict import Verdict

from .tables import Folder, judge, write

THEIRS: dict[str, Any] = {
    "roc_auc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
    "log_loss": sk.log_loss,
    "brier": sk.brier_score_loss,
    "mae": sk.mean_absolute_error,
    "rmse": sk.root_mean_squared_error,
    "r2": sk.r2_score,
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "f1": lambda *a, **k: sk.f1_score(*a, zero_division=0, **k),
    "precision": lambda *a, **k: sk.precision_score(*a, zero_division=0, **k),
    "recall": sk.recall_score,
}
CLASSES = ("accuracy", "balanced_accuracy", "f1", "precision", "recall")


@pytest.mark.parametrize("metric", THEIRS)
@examples(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.integers(4, 60), st.booleans())
def test_scikit_learn_agrees_with_and_without_weights(
    metric: str, seed: int, rows: int, coarse: bool
) -> None:
    random = np.random.default_rng(seed)
    label = np.concatenate([[0.0, 1.0], random.integers(0, 2, rows)]).astype(np.float64)
    score = random.random(rows + 2)
    # Many ties, and scores of 0 and 1, of which a logarithm is infinite.
    score = np.round(score * 3) / 3 if coarse else score
    if metric in CLASSES:
        score = (score > 0.5).astype(np.float64)
    if metric in ("mae", "rmse", "r2"):
        label = label * 1000 + random.normal(size=rows + 2)
    weights = np.ones((2, rows + 2))
    weights[1, 2:] = random.integers(0, 4, rows)
    found = prepare(metric, label, score)(weights)
    for weight, mine in zip(weights, found, strict=True):
        told = THEIRS[metric](label, score, sample_weight=weight)
        assert mine == pytest.approx(told, rel=1e-9, abs=1e-12)


def test_classes_may_be_more_than_two() -> None:
    random = np.random.default_rng(3)
    label, guess = (random.integers(0, 4, 200).astype(np.float64) for _ in range(2))
    weights = random.integers(0, 3, (3, 200)).astype(np.float64)
    for metric in ("accuracy", "balanced_accuracy"):
        told = [THEIRS[metric](label, guess, sample_weight=one) for one in weights]
        assert prepare(metric, label, guess)(weights) == pytest.approx(told)


def test_the_interval_is_about_that_of_theory() -> None:
    random = np.random.default_rng(0)
    label = random.normal(size=2000)
    ours = prepare("mae", label, label + random.normal(size=2000))
    theirs = prepare("mae", label, label + random.normal(size=2000) * 1.2)
    found = paired(ours, theirs, 2000, resamples=2000, confidence=0.95, seed=1)
    changes = np.array([(ours(one) - theirs(one))[0] for one in np.eye(2000)[:, None, :]])
    error = 1.96 * changes.std() / math.sqrt(2000)
    assert found.change == pytest.approx(changes.mean(), rel=1e-6)
    assert (found.low, found.high) == pytest.approx(
        (found.change - error, found.change + error), abs=error / 10
    )
    assert paired(ours, theirs, 2000, resamples=2000, confidence=0.95, seed=1) == found
    assert paired(ours, theirs, 2000, resamples=2000, confidence=0.95, seed=2) != found


def table(noise: float, rows: int = 400, seed: int = 1, **columns: Any) -> pd.DataFrame:
    """Scores of the same labels: the noisier, the worse."""
    label = (np.arange(rows) % 4 == 0).astype("int64")
    score = 0.3 + 0.4 * label + noise * np.random.default_rng(seed).normal(size=rows)
    frame = pd.DataFrame({"id": np.arange(rows), "label": label, "score": score.clip(0, 1)})
    return frame.assign(**columns)


def one(rule: str, ours: pd.DataFrame, theirs: pd.DataFrame, folder: Path) -> Verdict:
    write(ours, folder / "here" / "p.parquet")
    write(theirs, folder / "main" / "p.parquet")
    others = {"main": Folder(folder / "main", "main")}
    rule = f"noise: {{predictions: p.parquet, against: main, {rule}}}"
    (found,) = judge(rule, Folder(folder / "here"), others)
    return found


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "log_loss", "brier"])
def test_better_and_worse_in_both_directions(metric: str, tmp_path: Path) -> None:
    good, bad = table(0.1), table(0.6)
    better = one(f"metric: {metric}, want: better", good, bad, tmp_path)
    assert (better.verdict, "better; wanted: better" in better.why) == ("pass", True)
    assert one(f"metric: {metric}", good, bad, tmp_path).verdict == "pass"
    for rule in ("lose: 0.01", "want: better"):
        worse = one(f"metric: {metric}, {rule}", bad, good, tmp_path)
        assert (worse.verdict, "worse; wanted" in worse.why) == ("fail", True)
    allowed = one(f"metric: {metric}, lose: 9", bad, good, tmp_path)
    assert allowed.verdict == "pass"
    assert allowed.figures["low"] <= allowed.figures["change"] <= allowed.figures["high"]
    assert set(allowed.evidence) == {"p.parquet", "main:p.parquet"}


def test_no_difference_seen_is_inconclusive(tmp_path: Path) -> None:
    ours, theirs = table(0.5), table(0.5, seed=2)
    for rule in ("metric: roc_auc", "metric: roc_auc, want: better"):
        found = one(rule, ours, theirs, tmp_path)
        assert (found.verdict, found.passes) == ("inconclusive", False)
        assert "no difference seen; wanted: " in found.why
        assert found.why.endswith("inconclusive counts as failed here")
        assert one(f"{rule}, inconclusive: pass", ours, theirs, tmp_path).passes


def test_the_same_predictions(tmp_path: Path) -> None:
    found = one("metric: roc_auc", table(0.5), table(0.5), tmp_path)
    assert (found.verdict, set(found.figures.values())) == ("pass", {0.0})
    assert one("metric: roc_auc, want: better", table(0.5), table(0.5), tmp_path).verdict == "fail"


def test_rows_are_matched_by_id(tmp_path: Path) -> None:
    ours, theirs = table(0.1), table(0.6)
    mixed = theirs.sample(frac=1, random_state=1)
    told = one("metric: roc_auc, id: id", ours, theirs, tmp_path)
    assert (
        one("metric: roc_auc, id: id", ours, mixed, tmp_path).figures["change"]
        == (told.figures["change"])
    )
    found = one("metric: roc_auc", ours, mixed, tmp_path)
    assert (found.verdict, found.why.split(":")[0]) == (
        "fail", "the labels of the same rows are not the same"
    )  # fmt: skip


NAN = table(0.1)
NAN.loc[3, "score"] = math.nan


@pytest.mark.parametrize(
    ("rule", "theirs", "why"),
    [
        ("", table(0.1, 300), "the rows are not the same: 400 here, 300 there"),
        ("", table(0.1, label=0), "the labels of the same rows are not the same: 100 of 400"),
        ("id: id", table(0.1).assign(id=np.arange(1, 401)), "the ids are not the same: 400"),
        ("id: id", table(0.1, id=7), "main:p.parquet has 399 rows whose id another row has, too"),
        ("", NAN, "main:p.parquet has 1 rows without score"),
        ("", table(0.1).assign(score="0.5"), "main:p.parquet has no numbers in score: it is text"),
        ("", table(0.1).assign(score=math.inf), "main:p.parquet has 400 infinite values in score"),
        ("", table(0.1).drop(columns="score"), "main:p.parquet has no column 'score'"),
        ("", table(0.1, 0), "main:p.parquet has no rows"),
        ("positive: 2", table(0.1), "p.parquet has no row with label = 2"),
        ("label: truth", table(0.1), "p.parquet has no column 'truth'"),
    ],
)
def test_what_cannot_be_compared_fails(
    rule: str, theirs: pd.DataFrame, why: str, tmp_path: Path
) -> None:
    found = one(f"metric: roc_auc, lose: 1, {rule}", table(0.1), theirs, tmp_path)
    assert found.verdict == "fail"
    assert found.why.startswith(why)
    assert set(found.evidence) >= {"p.parquet"} or "main:" in why


@pytest.mark.parametrize(
    ("rule", "change", "why"),
    [
        ("metric: log_loss", {"score": 1.5}, "has 400 rows with score not between 0 and 1"),
        ("metric: accuracy", {}, "has scores in score, not classes: give a threshold"),
        ("metric: f1", {}, "has scores in score, not classes: give a threshold"),
        ("metric: accuracy", {"score": "maybe"}, "has no label of label in score: not its classes"),
        ("metric: roc_auc", {"label": 1}, "roc_auc is not defined on these labels: all alike"),
        ("metric: roc_auc", {"label": [1] + [0] * 399}, "too few rows of one class"),
        ("metric: rmse", {"label": "x"}, "has no numbers in label: it is text"),
        ("metric: rmse", {"score": 1e200}, "rmse is infinite: these numbers are too large"),
        ("metric: mae", {"label": -1e308, "score": 1e308}, "mae is infinite: these"),
    ],
)
def test_what_cannot_be_measured_fails(
    rule: str, change: dict[str, Any], why: str, tmp_path: Path
) -> None:
    frame = table(0.1).assign(**change)
    other = frame.assign(other=1)
    found = one(f"{rule}, lose: 1", frame, other, tmp_path)
    assert (found.verdict, why in found.why) == ("fail", True), found.why


def test_few_rows_tell_nothing(tmp_path: Path) -> None:
    for rows, word in ((29, "fail"), (30, "pass")):
        ours, theirs = table(0.05, rows), table(0.05, rows).assign(score=0.5)
        found = one("metric: brier, want: better", ours, theirs, tmp_path)
        assert found.verdict == word
    found = one("metric: brier", table(0.05, 29), theirs[:29], tmp_path)
    assert found.why == "p.parquet has 29 rows: fewer than 30 say nothing about luck"
    assert set(found.evidence) == {"p.parquet", "main:p.parquet"}


def test_classes_and_thresholds(tmp_path: Path) -> None:
    ours, theirs = table(0.05), table(0.6)
    for metric in CLASSES:
        found = one(f"metric: {metric}, threshold: 0.5, want: better", ours, theirs, tmp_path)
        assert (found.verdict, found.value) == ("pass", 1.0), metric
    words = {0: "no", 1: "yes"}
    guess = {False: "no", True: "yes"}
    named = [
        one.assign(label=one["label"].map(words), score=(one["score"] >= 0.5).map(guess))
        for one in (ours, theirs)
    ]
    for metric in CLASSES:
        found = one(f"metric: {metric}, positive: 'yes', want: better", *named, tmp_path)
        assert (found.verdict, found.value) == ("pass", 1.0), metric


def test_another_model_of_the_same_revision(tmp_path: Path) -> None:
    write(table(0.1), tmp_path / "a.parquet")
    write(table(0.6), tmp_path / "b.csv")
    here = Folder(tmp_path)
    (found,) = judge(
        "noise: {metric: roc_auc, predictions: a.parquet, other: b.csv, want: better, by: 0.01}",
        here,
    )
    assert (found.verdict, "b.csv has 0." in found.why) == ("pass", True)
    (found,) = judge("noise: {metric: roc_auc, predictions: a.parquet, other: a.parquet}", here)
    assert found.why == "a.parquet is compared with itself: name another"
    (found,) = judge(
        "noise: {metric: roc_auc, predictions: a.parquet, against: main, other: b.csv}",
        here,
        {"main": Folder(tmp_path, "main")},
    )
    assert ", main:b.csv has 0." in found.why
    (found,) = judge("noise: {metric: roc_auc, predictions: a.parquet, against: nope}", here)
    assert (found.verdict, found.why) == ("fail", "there is no revision 'nope'")

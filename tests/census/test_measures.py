"""Measures against values worked out by hand, and against scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn import metrics

from census import measures

if TYPE_CHECKING:
    from census.measures import Labels, Scores

LABEL = np.array([1, 0, 1, 0, 0, 1, 0, 0, 0, 0], dtype=np.int8)
SCORE = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0])


@pytest.fixture(scope="module")
def many() -> tuple[Labels, Scores]:
    """5,000 rows, 6% positive, scores with many ties."""
    rng = np.random.default_rng(7)
    label = (rng.random(5000) < 0.06).astype(np.int8)
    score = np.clip(rng.normal(0.1 + 0.3 * label, 0.15), 0.001, 0.999).round(2)
    return label, np.clip(score, 0.01, 0.99)


def test_precision_recall_by_hand() -> None:
    curve = measures.precision_recall(LABEL, SCORE)
    assert curve.threshold.tolist() == SCORE.tolist()
    assert curve.precision[:6] == pytest.approx([1, 1 / 2, 2 / 3, 2 / 4, 2 / 5, 3 / 6])
    assert curve.recall[:6] == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3, 2 / 3, 1])


def test_average_precision_by_hand() -> None:
    curve = measures.precision_recall(LABEL, SCORE)
    assert measures.average_precision(curve) == pytest.approx((1 + 2 / 3 + 3 / 6) / 3)


@pytest.mark.parametrize(
    ("precision", "recall", "threshold"),
    [(1.0, 1 / 3, 0.9), (0.66, 2 / 3, 0.7), (0.5, 1.0, 0.4), (0.3, 1.0, 0.0)],
)
def test_recall_and_threshold_at_a_precision(
    precision: float, recall: float, threshold: float
) -> None:
    curve = measures.precision_recall(LABEL, SCORE)
    assert measures.recall_at_precision(curve, precision) == pytest.approx(recall)
    assert measures.threshold_at_precision(curve, precision) == threshold


def test_a_precision_that_is_never_reached() -> None:
    curve = measures.precision_recall(LABEL, np.full(10, 0.3))
    assert measures.recall_at_precision(curve, 0.75) == 0
    assert measures.threshold_at_precision(curve, 0.75) is None


def test_rows_of_equal_score_are_taken_together() -> None:
    # Whatever the order of the two tied rows, the curve must not pass between them.
    label = np.array([1, 0], dtype=np.int8)
    for order in ([0, 1], [1, 0]):
        curve = measures.precision_recall(label[order], np.array([0.5, 0.5]))
        assert curve.precision.tolist() == [0.5]
        assert curve.recall.tolist() == [1.0]


def test_roc_auc_by_hand() -> None:
    # 21 pairs of a positive and a negative row; the positives lose 0 + 1 + 3 of them.
    assert measures.roc_auc(LABEL, SCORE) == pytest.approx(17 / 21)
    assert measures.roc_auc(LABEL, np.full(10, 0.3)) == pytest.approx(0.5)


def test_areas_and_losses_agree_with_scikit_learn(many: tuple[Labels, Scores]) -> None:
    label, score = many
    curve = measures.precision_recall(label, score)
    assert measures.average_precision(curve) == pytest.approx(
        metrics.average_precision_score(label, score)
    )
    assert measures.roc_auc(label, score) == pytest.approx(metrics.roc_auc_score(label, score))
    assert measures.log_loss(label, score) == pytest.approx(metrics.log_loss(label, score))
    assert measures.brier(label, score) == pytest.approx(metrics.brier_score_loss(label, score))


def test_log_loss_of_a_certain_error_is_finite() -> None:
    loss = measures.log_loss(np.array([1], dtype=np.int8), np.array([0.0]))
    assert loss == pytest.approx(-np.log(1e-6))


def test_brier_by_hand() -> None:
    label, score = np.array([1, 0], dtype=np.int8), np.array([0.8, 0.4])
    assert measures.brier(label, score) == pytest.approx((0.04 + 0.16) / 2)


def test_calibration_by_hand() -> None:
    # Two bins of two rows: means 0.15 and 0.7, shares of positives 0 and 0.5.
    label, score = np.array([0, 0, 1, 0], dtype=np.int8), np.array([0.1, 0.2, 0.6, 0.8])
    bins = measures.calibration(label, score, 2)
    assert bins.score == pytest.approx([0.15, 0.7])
    assert bins.positive_share == pytest.approx([0, 0.5])
    assert bins.rows.tolist() == [2, 2]
    assert measures.expected_calibration_error(bins) == pytest.approx((0.15 + 0.2) / 2)


def test_calibration_counts_every_row_once(many: tuple[Labels, Scores]) -> None:
    label, score = many
    bins = measures.calibration(label, score, 15)
    assert bins.rows.sum() == len(label)
    assert (bins.rows > 0).all()
    assert np.sum(bins.positive_share * bins.rows) == pytest.approx(label.sum())


def test_a_constant_score_is_one_bin() -> None:
    bins = measures.calibration(LABEL, np.full(10, 0.2), 15)
    assert bins.rows.tolist() == [10]
    assert measures.expected_calibration_error(bins) == pytest.approx(0.1)


def test_shares_at_a_threshold() -> None:
    # A score equal to the threshold is flagged: rows 0.9, 0.8, 0.7; two of them are positive.
    shares = measures.at_threshold(LABEL, SCORE, 0.7)
    assert shares == pytest.approx(
        {
            "precision": 2 / 3,
            "recall": 2 / 3,
            "false_positive_share": 1 / 7,
            "flagged_share": 3 / 10,
        }
    )
    assert measures.accuracy(LABEL, SCORE, 0.7) == pytest.approx(8 / 10)


def test_shares_of_nothing_are_left_out() -> None:
    assert "precision" not in measures.at_threshold(LABEL, SCORE, None)
    assert measures.at_threshold(LABEL, SCORE, None)["recall"] == 0
    nobody = np.zeros(10, dtype=np.int8)
    assert set(measures.at_threshold(nobody, SCORE, None)) == {
        "false_positive_share",
        "flagged_share",
    }


def test_flagging_nobody_is_as_accurate_as_the_majority() -> None:
    assert measures.majority_accuracy(LABEL) == pytest.approx(0.7)
    assert measures.majority_accuracy(1 - LABEL) == pytest.approx(0.7)
    assert measures.accuracy(LABEL, SCORE, None) == measures.majority_accuracy(LABEL)

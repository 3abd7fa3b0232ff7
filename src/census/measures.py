"""Measures for a rare class: pure functions of labels (rows,), 0 or 1, and scores (rows,), 0 to 1.

A row is flagged when its score is at least the threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labels = NDArray[np.int8]
    Scores = NDArray[np.float64]


class Curve(NamedTuple):
    """Precision and recall at each distinct score, from the highest score down (points,)."""

    threshold: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]


class Bins(NamedTuple):
    """Mean score, share of positives and number of rows of each calibration bin (bins,)."""

    score: NDArray[np.float64]
    positive_share: NDArray[np.float64]
    rows: NDArray[np.int64]


def precision_recall(label: Labels, score: Scores) -> Curve:
    """The precision-recall curve, rows of equal score taken together; needs a positive row."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    found = np.cumsum(label[order], dtype=np.int64)[last_of_tie]
    return Curve(ordered[last_of_tie], found / (last_of_tie + 1), found / found[-1])


def average_precision(curve: Curve) -> float:
    """Area under the precision-recall curve as steps: sum of (R_n - R_{n-1}) P_n, 0 to 1."""
    return float(np.sum(np.diff(curve.recall, prepend=0.0) * curve.precision))


def recall_at_precision(curve: Curve, precision: float) -> float:
    """The highest recall at which the precision is still at least this; 0 when it never is."""
    enough = curve.precision >= precision
    return float(curve.recall[enough].max(initial=0.0))


def threshold_at_precision(curve: Curve, precision: float) -> float | None:
    """The lowest threshold whose precision is at least this; None when there is none."""
    enough = curve.precision >= precision
    return float(curve.threshold[enough].min()) if enough.any() else None


def roc_auc(label: Labels, score: Scores) -> float:
    """Chance that a positive row outscores a negative one, ties half (Mann-Whitney U), 0 to 1."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    # Rows of equal score share the mean of the ranks (from 1) that they take together.
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    positives = int(label.sum())
    u = float(rank[label == 1].sum()) - positives * (positives + 1) / 2
    return u / (positives * (len(label) - positives))


def log_loss(label: Labels, score: Scores) -> float:
    """Mean negative log likelihood in nats; scores are kept 1e-6 away from 0 and 1."""
    sure = np.clip(np.where(label == 1, score, 1 - score), 1e-6, 1 - 1e-6)
    return float(-np.log(sure).mean())


def brier(label: Labels, score: Scores) -> float:
    """Mean squared difference of score and label (Brier 1950), 0 to 1."""
    return float(np.mean((score - label) ** 2))


def calibration(label: Labels, score: Scores, bins: int) -> Bins:
    """Rows in bins of about equal size by score, rows of equal score never parted.

    Bins of equal width would put nine rows in ten of a rare class into the first.
    """
    edges = np.unique(np.quantile(score, np.linspace(0, 1, bins + 1)[1:-1]))
    place = np.searchsorted(edges, score, side="right")
    rows = np.bincount(place)
    used = rows > 0
    return Bins(
        np.bincount(place, score)[used] / rows[used],
        np.bincount(place, label)[used] / rows[used],
        rows[used],
    )


def expected_calibration_error(bins: Bins) -> float:
    """Mean distance of score and share of positives over bins, weighted by rows, 0 to 1."""
    gap = np.abs(bins.score - bins.positive_share)
    return float(np.sum(gap * bins.rows) / np.sum(bins.rows))


def at_threshold(label: Labels, score: Scores, threshold: float | None) -> dict[str, float]:
    """Shares (0 to 1) when rows are flagged from a threshold on; None flags nobody.

    A share of nothing (precision when nobody is flagged) is left out.
    """
    flagged = np.zeros(len(score), bool) if threshold is None else score >= threshold
    true = int(np.sum(flagged & (label == 1)))
    positives, chosen = int(label.sum()), int(flagged.sum())
    shares = {
        "precision": (true, chosen),
        "recall": (true, positives),
        "false_positive_share": (chosen - true, len(label) - positives),
        "flagged_share": (chosen, len(label)),
    }
    return {name: part / whole for name, (part, whole) in shares.items() if whole}


def accuracy(label: Labels, score: Scores, threshold: float | None) -> float:
    """Share of rows whose flag equals the label, 0 to 1."""
    flagged = np.zeros(len(score), bool) if threshold is None else score >= threshold
    return float(np.mean(flagged == (label == 1)))


def majority_accuracy(label: Labels) -> float:
    """Accuracy of giving everybody the more frequent label: what accuracy must be held against."""
    share = float(label.mean())
    return max(share, 1 - share)

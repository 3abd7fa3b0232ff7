"""Measures of predictions on weighted rows, for many weightings at once; as scikit-learn has them.

A measure is prepared once for a model's predictions; called with weights (weightings, rows) it
returns one value each, NaN where it is not defined, as roc_auc is not of one class.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Measure = Callable[[Floats], Floats]


def prepare(metric: str, label: Floats, prediction: Floats) -> Measure:
    """Return a measure of predictions (rows,) of labels (rows,).

    `accuracy` and `balanced_accuracy` take codes of classes; all others of classes 0 and 1, of
    which scores are probabilities or ranks; mae, rmse and r2 take numbers.
    """
    return _PREPARE[metric](label, prediction)


def _mean(of: Callable[[Floats, Floats], Floats]) -> Callable[[Floats, Floats], Measure]:
    def prepared(label: Floats, prediction: Floats) -> Measure:
        values = of(label, prediction)
        return lambda weights: _ratio(weights @ values, weights.sum(axis=1))

    return prepared


def _hit(label: Floats, prediction: Floats) -> Floats:
    found: Floats = (label == prediction).astype(np.float64)
    return found


def _square(label: Floats, prediction: Floats) -> Floats:
    return (label - prediction) ** 2


def _log(label: Floats, prediction: Floats) -> Floats:
    tiny = np.finfo(np.float64).eps
    likely = np.where(label == 1, prediction, 1 - prediction)
    found: Floats = -np.log(np.clip(likely, tiny, 1 - tiny))
    return found


def _balanced(label: Floats, prediction: Floats) -> Measure:
    """The mean of each class's recall, of the classes that there are."""
    hit = _hit(label, prediction)
    classes = [(label == one).astype(np.float64) for one in np.unique(label)]

    def measure(weights: Floats) -> Floats:
        recalls = [_ratio(weights @ (one * hit), weights @ one) for one in classes]
        found: Floats = np.nanmean(recalls, axis=0)
        return found

    return measure


def _counts(empty: float, *parts: tuple[int, int, int]) -> Callable[[Floats, Floats], Measure]:
    """A ratio of sums of true positives, false positives and false negatives."""

    def prepared(label: Floats, prediction: Floats) -> Measure:
        cells = np.stack(
            [label * prediction, (1 - label) * prediction, label * (1 - prediction)], axis=1
        )
        above, below = (cells @ np.array(one, dtype=np.float64) for one in parts)
        return lambda weights: _ratio(weights @ above, weights @ below, empty)

    return prepared


class _Ranked:
    """Rows from the highest score down, those of one score together."""

    def __init__(self, label: Floats, score: Floats) -> None:
        self._order = np.argsort(-score, kind="stable")
        ranked = score[self._order]
        self._label = label[self._order]
        last = np.append(ranked[1:] != ranked[:-1], True)
        self._last = None if last.all() else np.flatnonzero(last)

    def __call__(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return how many positives, and rows, have each score or a higher one."""
        here = np.take(weights, self._order, axis=1)
        rows = self._by_score(np.cumsum(here, axis=1))
        here *= self._label
        return self._by_score(np.cumsum(here, axis=1)), rows

    def _by_score(self, sums: Floats) -> Floats:
        """Return the sums at each score's last row; all of them where no two rows share one."""
        return sums if self._last is None else np.take(sums, self._last, axis=1)


def _average_precision(label: Floats, score: Floats) -> Measure:
    ranked = _Ranked(label, score)

    def measure(weights: Floats) -> Floats:
        positives, rows = ranked(weights)
        steps = np.diff(positives, axis=1, prepend=0)
        precision = positives / np.maximum(rows, 1)
        return _ratio(np.einsum("kn,kn->k", steps, precision), positives[:, -1])

    return measure


def _roc_auc(label: Floats, score: Floats) -> Measure:
    ranked = _Ranked(label, score)

    def measure(weights: Floats) -> Floats:
        positives, rows = ranked(weights)
        negatives = rows - positives
        area = negatives[:, 0] * positives[:, 0]
        area += np.einsum(
            "kn,kn->k", np.diff(negatives, axis=1), positives[:, 1:] + positives[:, :-1]
        )
        return _ratio(area / 2, positives[:, -1] * negatives[:, -1])

    return measure


def _rmse(label: Floats, prediction: Floats) -> Measure:
    mean = _mean(_square)(label, prediction)
    return lambda weights: np.sqrt(mean(weights))


def _r2(label: Floats, prediction: Floats) -> Measure:
    # Around the middle of all, so that large labels lose no digits.
    around = label - label.mean()
    errors, squares = _square(label, prediction), around**2

    def measure(weights: Floats) -> Floats:
        rows = weights.sum(axis=1)
        spread = weights @ squares - (weights @ around) ** 2 / rows
        # What is left of a constant is rounding: it has no spread to explain.
        spread[spread <= 1e-12 * (weights @ squares)] = 0
        return 1 - _ratio(weights @ errors, spread)

    return measure


def _ratio(above: Floats, below: Floats, empty: float = np.nan) -> Floats:
    """Divide; `empty` is what nothing of nothing is."""
    found: Floats = np.divide(above, below, out=np.full(len(above), empty), where=below > 0)
    return found


_PREPARE: Mapping[str, Callable[[Floats, Floats], Measure]] = {
    "accuracy": _mean(_hit),
    "balanced_accuracy": _balanced,
    "f1": _counts(0.0, (2, 0, 0), (2, 1, 1)),
    "precision": _counts(0.0, (1, 0, 0), (1, 1, 0)),
    "recall": _counts(np.nan, (1, 0, 0), (1, 0, 1)),
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "log_loss": _mean(_log),
    "brier": _mean(_square),
    "mae": _mean(lambda label, prediction: np.abs(label - prediction)),
    "rmse": _rmse,
    "r2": _r2,
}

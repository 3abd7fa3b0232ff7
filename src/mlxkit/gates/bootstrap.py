"""How sure the difference of two models is that were asked the same rows: the paired bootstrap.

Rows are drawn with replacement, the same ones for both models; the interval is that of the
percentiles of the differences (Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
chapter 13; for the comparison of two systems Koehn, Statistical Significance Tests for Machine
Translation Evaluation, EMNLP 2004).
"""

from typing import NamedTuple

import numpy as np

from mlxkit.core.progress import SILENT, Progress
from mlxkit.gates.measures import Floats, Measure

_CELLS = 1 << 18
"""So many weights at a time: they stay in the processor's cache."""
_DIGITS = 10


class Change(NamedTuple):
    """Both models' values, their difference with its interval, and resamples without a value."""

    ours: float
    theirs: float
    change: float
    low: float
    high: float
    undefined: int = 0


def paired(
    ours: Measure,
    theirs: Measure,
    rows: int,
    *,
    resamples: int,
    confidence: float,
    seed: int,
    progress: Progress = SILENT,
) -> Change:
    """Return how much higher the measure is for our model."""
    all_rows = np.ones((1, rows))
    a, b = (_digits(one(all_rows)[0]) for one in (ours, theirs))
    random = np.random.Generator(np.random.PCG64(seed))
    at_once = max(1, _CELLS // rows)
    changes = np.empty(resamples)
    progress.begin("resamples", resamples)
    for start in range(0, resamples, at_once):
        weights = _weights(random, min(at_once, resamples - start), rows)
        changes[start : start + len(weights)] = ours(weights) - theirs(weights)
        progress.advance(len(weights))
    progress.end()
    known = changes[~np.isnan(changes)]
    undefined = resamples - len(known)
    tail = (1 - confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail]) if len(known) else (np.nan, np.nan)
    return Change(a, b, _digits(a - b), _digits(low), _digits(high), undefined)


def _weights(random: np.random.Generator, times: int, rows: int) -> Floats:
    """Return how often each row is drawn (times, rows)."""
    drawn = random.integers(0, rows, size=(times, rows))
    drawn += np.arange(times)[:, None] * rows
    counts = np.bincount(drawn.ravel(), minlength=times * rows)
    return counts.reshape(times, rows).astype(np.float64)


def _digits(value: float) -> float:
    """Round away the last bits, in which processors may differ: a verdict is the same anywhere."""
    return float(f"{value:.{_DIGITS}g}")

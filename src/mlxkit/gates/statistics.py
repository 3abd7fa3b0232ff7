"""Intervals of means by Student's t, from few numbers, without numerical libraries."""

import math
import statistics
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple


class Interval(NamedTuple):
    """A mean, and where it lies with the confidence asked for."""

    mean: float
    low: float
    high: float


def mean_interval(values: Sequence[float], confidence: float) -> Interval:
    """Return the mean of at least two numbers with its interval."""
    mean = float(_mean(values))
    error = statistics.stdev(values) / math.sqrt(len(values))
    return _around(mean, error, len(values) - 1, confidence)


def difference_interval(
    ours: Sequence[float], theirs: Sequence[float], confidence: float
) -> Interval:
    """Return how much higher the mean of `ours` is, unpaired, by Welch's t (at least two each)."""
    mean = float(_mean(ours) - _mean(theirs))
    a, b = (statistics.variance(each) / len(each) for each in (ours, theirs))
    if a + b == 0:
        return Interval(mean, mean, mean)
    freedom = (a + b) ** 2 / (a**2 / (len(ours) - 1) + b**2 / (len(theirs) - 1))
    # Down to a whole number: the interval becomes wider, never too narrow.
    return _around(mean, math.sqrt(a + b), max(1, math.floor(freedom)), confidence)


def t_quantile(confidence: float, freedom: int) -> float:
    """Return how many standard errors hold the mean with this two-sided confidence."""
    low, high = 0.0, 1.0
    while _t_central(high, freedom) < confidence:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        if _t_central(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _mean(values: Sequence[float]) -> Fraction:
    """Return the mean of numbers as they are written: 0.8 less 0.81 is just -0.01."""
    return sum(map(Fraction, map(repr, values)), Fraction()) / len(values)


def _around(mean: float, error: float, freedom: int, confidence: float) -> Interval:
    reach = t_quantile(confidence, freedom) * error if error else 0.0
    return Interval(mean, mean - reach, mean + reach)


def _t_central(t: float, freedom: int) -> float:
    """Return the probability between -t and t (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan2(t, math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total

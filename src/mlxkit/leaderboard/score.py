"""A metric's value in a metrics file, and how exact it is. Pure."""

import math
from collections.abc import Mapping
from typing import Any

from mlxkit.leaderboard.board import Score

_ERRORS = ("se", "stderr", "standard_error")
_BOUNDS = (("low", "high"), ("lower", "upper"))
_SHARES = frozenset({"accuracy", "acc", "error_rate", "misclassification_rate", "top1_accuracy"})
_COUNTS = ("rows", "n", "samples", "count", "support")
_95 = 1.959964
"""Standard errors from the middle of a 95% interval to its end."""


def score(values: Mapping[str, Any], metric: str) -> Score:
    """Return the metric's value of a file's values by dotted name, or why it cannot be ranked."""
    if metric not in values:
        return Score(reason=f"there is no '{metric}'{_near(metric, values)}", absent=True)
    value = _number(values[metric])
    if value is None:
        return Score(reason=f"'{metric}' is {_told(values[metric])}, not a number")
    if not math.isfinite(value):
        return Score(reason=f"'{metric}' is {value}")
    return Score(value, _standard_error(values, metric, value))


def _standard_error(values: Mapping[str, Any], metric: str, value: float) -> float | None:
    """Return the standard error that the file tells of.

    In this order: written down; half of a 95% interval over 1.96; the standard deviation between
    n seeds over the root of n; for a share of right answers among n rows, that of the binomial.
    """
    found = _first(values, metric, _ERRORS)
    if found is not None:
        return found
    for low, high in _BOUNDS:
        ends = _first(values, metric, (low,)), _first(values, metric, (high,))
        if ends[0] is not None and ends[1] is not None and ends[1] > ends[0]:
            return (ends[1] - ends[0]) / (2 * _95)
    spread, seeds = _first(values, metric, ("std",)), _count(values, metric, ("seeds",))
    if spread is not None and seeds is not None:
        return spread / math.sqrt(seeds)
    rows = _count(values, metric, _COUNTS)
    if metric.rpartition(".")[2] in _SHARES and rows is not None and 0 <= value <= 1:
        return math.sqrt(value * (1 - value) / rows)
    return None


def _first(values: Mapping[str, Any], metric: str, endings: tuple[str, ...]) -> float | None:
    for ending in endings:
        number = _number(values.get(f"{metric}_{ending}"))
        if number is not None and math.isfinite(number):
            bound = ending in ("low", "lower", "high", "upper")
            return number if bound or number >= 0 else None
    return None


def _count(values: Mapping[str, Any], metric: str, names: tuple[str, ...]) -> float | None:
    """Return a count that is written beside the metric."""
    beside = metric.rpartition(".")[0]
    for name in names:
        number = _number(values.get(f"{beside}.{name}" if beside else name))
        if number is not None and math.isfinite(number) and number >= 1:
            return number
    return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _told(value: Any) -> str:
    return f"the text {value[:40]!r}" if isinstance(value, str) else repr(value)[:40]


def _near(metric: str, values: Mapping[str, Any]) -> str:
    import difflib

    last = metric.rpartition(".")[2]
    near = [one for one in values if one.rpartition(".")[2] == last]
    near = near or difflib.get_close_matches(metric, list(values), n=1)
    return f" (but '{near[0]}')" if near else ""

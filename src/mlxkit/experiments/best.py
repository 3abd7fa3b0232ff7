"""The best of some results, where it is clear by which metric. Pure."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from mlxkit.comparison.state import FileValues
from mlxkit.experiments.objective import Missing, find_metric, read_objective
from mlxkit.metrics.load import flatten
from mlxkit.metrics.preferences import Preference, preference_of

Metrics = Mapping[str, FileValues]
"""What a result's metrics files say, by path."""


class Best(NamedTuple):
    """The best result: by which metric, as `FILE:NAME`, and how good."""

    result: str
    metric: str
    value: float


def choose_metric(
    results: Collection[Metrics],
    known: Mapping[str, Preference],
    ranked: str = "",
    files: Collection[str] = (),
) -> str:
    """Return the metric, as `FILE:NAME`, by which results are to be compared; empty for none.

    That is `ranked`, which is to be found in one of `files` where several files have it, else the
    only one of which a direction is known.
    """
    names = {key for one in results for key in _named(one, ranked, files)}
    if not ranked or not names:
        names = {key for one in results for key in _with_direction(one, known)}
    return names.pop() if len(names) == 1 else ""


def find_best(
    results: Mapping[str, Metrics], metric: str, known: Mapping[str, Preference]
) -> Best | None:
    """Return the best of some results by name, the first of those that are equally good.

    None where all of them are, and where nobody says what is good.
    """
    better = preference_of(_plain(metric), known).better
    found = [(name, read_objective(metrics, metric)) for name, metrics in results.items()]
    values = [Best(name, metric, one) for name, one in found if not isinstance(one, Missing)]
    if better is None or len({one.value for one in values}) < 2:
        return None
    sign = -1 if better == "higher" else 1
    return min(values, key=lambda one: sign * one.value)


def _named(metrics: Metrics, ranked: str, files: Collection[str]) -> list[str]:
    if not ranked:
        return []
    found = list(find_metric(metrics, ranked))
    if len(found) > 1:
        found = [key for key in found if key.startswith(tuple(f"{one}:" for one in files))]
    return found


def _with_direction(metrics: Metrics, known: Mapping[str, Preference]) -> list[str]:
    return [
        f"{path}:{name}"
        for path, one in metrics.items()
        if one.error is None
        for name, value in flatten(one.values).items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
        if preference_of(name, known).better is not None
    ]


def _plain(metric: str) -> str:
    return metric.rpartition(":")[2]

"""The number that a search goes by: one metric of a run. Pure."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from mlxkit.comparison.state import FileValues
from mlxkit.core.errors import UsageError
from mlxkit.metrics.load import flatten
from mlxkit.metrics.preferences import Preference, preference_of


class Missing(NamedTuple):
    """Why a run's metrics are no result."""

    why: str


def read_objective(metrics: Mapping[str, FileValues], name: str) -> float | Missing:
    """Return the metric `[FILE:]NAME` of a run; NAME is dotted, or the last part of such a name."""
    found = find_metric(metrics, name)
    if not found:
        return Missing(_why_not_there(metrics, name))
    if len(found) > 1:
        return Missing(f"'{name}' is in several places: {', '.join(found)}")
    value = next(iter(found.values()))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return Missing(f"'{name}' is no number: {str(value)[:40]!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    return number if math.isfinite(number) else Missing(f"'{name}' is {number}")


def find_metric(metrics: Mapping[str, FileValues], name: str) -> dict[str, object]:
    """Return the metrics that `[FILE:]NAME` means, by `FILE:NAME`; one, if all is well."""
    told = {
        f"{path}:{key}": value
        for path, one in metrics.items()
        if one.error is None
        for key, value in flatten(one.values).items()
    }
    exact = {key: value for key, value in told.items() if name in (key, _after(key, metrics))}
    if exact:
        return exact
    return {key: value for key, value in told.items() if key.endswith(f".{name}")}


def direction(name: str, known: Mapping[str, Preference]) -> str:
    """Return which direction of a metric is good; raises UsageError where nobody says it."""
    last = name.rpartition(":")[2]
    better = preference_of(last, known).better
    if better is None:
        raise UsageError(
            f"whether a higher or a lower '{name}' is better is not known",
            hint=f"say so in mlx.yaml: metrics: {{{last}: {{better: higher}}}}",
        )
    return better


def require_unambiguous(metrics: Mapping[str, FileValues], name: str) -> None:
    """Raise UsageError for a metric that is in several of the files that exist now."""
    found = find_metric(metrics, name)
    if len(found) > 1:
        raise UsageError(
            f"'{name}' is a metric of several files", hint=f"name one: {', '.join(found)}"
        )


def _after(key: str, paths: Mapping[str, FileValues]) -> str:
    """Return the name of a metric in `FILE:NAME`; a file's name may have colons."""
    path = next(one for one in paths if key.startswith(f"{one}:"))
    return key[len(path) + 1 :]


def _why_not_there(metrics: Mapping[str, FileValues], name: str) -> str:
    bad = [f"{path}: {one.error.msg}" for path, one in metrics.items() if one.error is not None]
    if bad:
        return f"there is no metric '{name}' ({'; '.join(bad)})"
    return f"there is no metric '{name}'"

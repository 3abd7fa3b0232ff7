"""Metrics and parameters that differ between two revisions (pure)."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mlxkit.comparison.documents import plain_values, troubles
from mlxkit.comparison.state import FileValues, State, Trouble
from mlxkit.metrics.difference import Change, difference
from mlxkit.metrics.judgement import is_better
from mlxkit.metrics.preferences import Preference, preference_of
from mlxkit.reports.changes import Rules, Value, Values

Known = Mapping[str, FileValues] | Trouble | None


def metrics_of(state: State | Trouble | None) -> Known:
    """Return a revision's metrics, or why there are none."""
    return state.metrics if isinstance(state, State) else state


def params_of(state: State | Trouble | None) -> Known:
    """Return a revision's parameters, or why there are none."""
    return state.params if isinstance(state, State) else state


def metric_values(
    old: Known,
    new: Known,
    names: tuple[str, str],
    known: Mapping[str, Preference],
    leading: Sequence[str],
    sliced: Collection[str],
) -> Values:
    """Return the metrics that differ, those that gates judge first, then better and worse ones.

    Of files of slices (`sliced`) it is what stands beside the slices.
    """
    found = _differences(old, new, sliced)
    changed = []
    for file, name, change in found:
        preference = preference_of(name, known)
        changed.append(
            Value(
                file, name, change["old"], change["new"], _finite(change.get("diff")),
                is_better(name, change, known), preference.better, preference.unit,
                _leads(file, name, leading) is not None,
            )
        )  # fmt: skip
    changed.sort(key=lambda one: _rank(one, leading))
    return Values(changed, _same(old, new, sliced), _troubles(old, new, names))


def param_values(old: Known, new: Known, names: tuple[str, str]) -> Values:
    """Return the parameters that differ."""
    changed = [
        Value(file, name, change["old"], change["new"], _finite(change.get("diff")))
        for file, name, change in _differences(old, new, ())
    ]
    return Values(changed, _same(old, new, ()), _troubles(old, new, names))


def leading_metrics(rules: Rules, more: str = "") -> list[str]:
    """Return the metrics that gates judge, as the rules name them.

    Those held to what was before come first, then those held to others, then to a figure.
    """
    found: list[str] = []
    for kinds in (("base", "noise", "seeds", "cost"), ("baseline",), ("threshold",)):
        for gate in rules.values():
            for rule in gate:
                ((kind, settings),) = rule.items()
                if kind in kinds and isinstance(settings.get("metric"), str):
                    found.append(settings["metric"])
    return list(dict.fromkeys([*found, *([more] if more else [])]))


def relative_change(one: Value) -> float:
    """Return how large a change is beside what was there."""
    if one.diff is None:
        return 0.0
    before = abs(one.old) if isinstance(one.old, (int, float)) else 0.0
    return abs(one.diff) / before if before else math.inf


def _differences(old: Known, new: Known, sliced: Collection[str]) -> list[tuple[str, str, Change]]:
    before, after = _read(old, new, sliced)
    return [
        (file, name, change)
        for file, names in difference(before, after).items()
        for name, change in names.items()
        if not _alike(change)
    ]


def _alike(change: Change) -> bool:
    """Tell whether both sides say the same; NaN is like NaN here."""
    old, new = change["old"], change["new"]
    return bool(old == new) or all(isinstance(one, float) and math.isnan(one) for one in (old, new))


def _same(old: Known, new: Known, sliced: Collection[str]) -> int:
    """Count the values that both sides have alike."""
    before, after = _read(old, new, sliced)
    everything = difference(before, after, unchanged=True)
    return sum(_alike(one) for names in everything.values() for one in names.values())


def _read(old: Known, new: Known, sliced: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of both sides; what one cannot read is not known to have changed."""
    hidden = _unread(old) | _unread(new)
    before, after = (
        {
            path: _beside_slices(one) if path in sliced else one
            for path, one in plain_values(side).items()
            if path not in hidden
        }
        for side in (old, new)
    )
    return before, after


def _beside_slices(values: Any) -> Any:
    """Return the values of a file of slices that are of no slice, nor of a group of them."""
    if not isinstance(values, Mapping):
        return values
    return {name: one for name, one in values.items() if not isinstance(one, Mapping)}


def _unread(told: Known) -> set[str]:
    if told is None or isinstance(told, Trouble):
        return set()
    return {path for path, one in told.items() if one.error is not None}


def _troubles(old: Known, new: Known, names: tuple[str, str]) -> list[str]:
    return [*troubles(names[0], old), *troubles(names[1], new)]


def _finite(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None


def _leads(file: str, name: str, leading: Sequence[str]) -> int | None:
    for number, one in enumerate(leading):
        path, colon, key = one.rpartition(":")
        if key == name and (not colon or path == file):
            return number
    return None


def _rank(one: Value, leading: Sequence[str]) -> tuple[int, int, float, str, str]:
    place = _leads(one.file, one.name, leading)
    group = 0 if one.leading else 1 if one.lost or one.better is False else 2 if one.better else 3
    return (group, place or 0, -relative_change(one), one.file, one.name)

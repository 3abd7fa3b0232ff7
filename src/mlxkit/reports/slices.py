"""Metrics of slices at two revisions: which files hold them, and what became of each (pure)."""

import math
import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from mlxkit.comparison.documents import plain_values
from mlxkit.metrics.judgement import is_better
from mlxkit.metrics.preferences import Preference, preference_of
from mlxkit.metrics.slices import is_named_so, slices_of
from mlxkit.reports.changes import Rules, Slice, SliceTable
from mlxkit.reports.values import Known

_ROWS = "rows"


def slice_files(rules: Rules, paths: Iterable[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the metrics files that hold slices, with the rules that judge each.

    Those that a `slices` rule names, and those with `slice` in their name.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    for gate in rules.values():
        for rule in gate:
            if "slices" in rule:
                path = posixpath.normpath(rule["slices"]["file"])
                found.setdefault(path, []).append(rule["slices"])
    for path in paths:
        if is_named_so(path):
            found.setdefault(path, [])
    return found


def slice_tables(
    old: Known,
    new: Known,
    files: Mapping[str, list[Mapping[str, Any]]],
    known: Mapping[str, Preference],
) -> list[SliceTable]:
    """Return a table for each metric of slices that is judged, and for others that changed."""
    before, after = plain_values(old), plain_values(new)
    found = []
    for path in files:
        if path not in before and path not in after:
            continue
        sides = _by_title(before.get(path)), _by_title(after.get(path))
        for metric in _metrics(sides, files[path], known):
            rules = [one for one in files[path] if one["metric"] == metric]
            table = _table(path, metric, sides, rules or files[path], known)
            table = table._replace(judged=bool(rules))
            if rules or any(one.old != one.new for one in table.slices):
                found.append(table)
    return sorted(found, key=lambda one: not one.judged)


def worst_of(table: SliceTable, *, old: bool = False) -> Slice | None:
    """Return the slice with the worst value, now or at the base, of those that are judged."""
    values = [
        (value, one)
        for one in table.slices
        if not one.small and (value := one.old if old else one.new) is not None
    ]
    if not values:
        return None
    pick = min if table.direction == "higher" else max
    return pick(values, key=lambda pair: pair[0])[1]


def worse_of(table: SliceTable) -> list[Slice]:
    """Return the slices that got worse or lack a value, the largest loss first, small ones last."""
    found = [one for one in table.slices if one.worse]
    return sorted(found, key=lambda one: (one.small, -abs((one.new or 0) - (one.old or 0))))


def _by_title(values: Any) -> dict[str, Mapping[str, Any]]:
    return {one.title: one.values for one in slices_of(values)}


def _metrics(
    sides: tuple[Mapping[str, Mapping[str, Any]], ...],
    rules: list[Mapping[str, Any]],
    known: Mapping[str, Preference],
) -> list[str]:
    """Return the metrics to show: those of rules, then all whose good direction is known."""
    judged = [one["metric"] for one in rules]
    names = [name for side in sides for values in side.values() for name in values]
    told = [name for name in names if preference_of(name, known).better is not None]
    return list(dict.fromkeys([*judged, *told]))


def _table(
    path: str,
    metric: str,
    sides: tuple[Mapping[str, Mapping[str, Any]], Mapping[str, Mapping[str, Any]]],
    rules: list[Mapping[str, Any]],
    known: Mapping[str, Preference],
) -> SliceTable:
    before, after = sides
    own = [one for one in rules if one["metric"] == metric]
    told = next((one["better"] for one in own if one.get("better")), None)
    direction = told or preference_of(metric, known).better or "higher"
    preferred = {metric: Preference(direction)}
    slices = []
    for title in dict.fromkeys([*after, *before]):
        values = after.get(title, before.get(title, {}))
        old, new = (_number(side.get(title, {}).get(metric)) for side in (before, after))
        change: dict[str, Any] = {"old": old, "new": new}
        if old is not None and new is not None:
            change["diff"] = new - old
        rows = _rows(values, rules)
        judged = not rules or any(_judges(rule, title, rows) for rule in rules)
        better = is_better(metric, change, preferred)
        slices.append(Slice(title, old, new, rows, better, not judged))
    return SliceTable(path, metric, direction, slices)


def _judges(rule: Mapping[str, Any], title: str, rows: int | None) -> bool:
    group = title.rpartition("=")[0]
    chosen = rule.get("groups")
    return (
        (chosen is None or group in chosen)
        and title not in (rule.get("leave_out") or ())
        and (rows is None or rows >= (rule.get("least_rows") or 0))
    )


def _rows(values: Mapping[str, Any], rules: list[Mapping[str, Any]]) -> int | None:
    name = next((one["rows"] for one in rules if one.get("rows")), _ROWS)
    rows = values.get(name)
    return rows if isinstance(rows, int) and not isinstance(rows, bool) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if math.isfinite(value) else None

"""`slices: {file, metric, worst, gap, least_rows}`: a metric of each slice of the data."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mlxkit.gates.context import Context, read
from mlxkit.gates.verdict import Unjudged, Verdict, Word, exact, finite, shown
from mlxkit.metrics.slices import Slice, slices_of


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Hold the worst slice, and the gap within each group, to their limits; raises Unjudged."""
    subject, path, metric = context.subject, settings["file"], settings["metric"]
    file = read(subject, path)
    evidence = {subject.key(path): file.md5}
    try:
        judged, small = _judged(settings, list(slices_of(file.values, metric)))
        found = []
        if settings["worst"] is not None:
            found.append(_worst(settings, context.better(settings, metric), judged))
        if settings["gap"] is not None:
            found.append(_gap(settings, judged))
    except Unjudged as error:
        raise Unjudged(f"{path}: {error.why}", evidence) from None
    figures = {str(one): one.value for one in judged}
    left = f"; {small} with less than {settings['least_rows']} rows not judged" if small else ""
    if settings["leave_out"]:
        left += f"; left out: {', '.join(settings['leave_out'])}"
    return [
        one._replace(why=f"{path}: {one.why}{left}", figures=figures, evidence=evidence)
        for one in found
    ]


class Judged(NamedTuple):
    """A slice that is large enough: the metric's value, and the rows where they are known."""

    one: Slice
    value: float
    rows: int | None

    def __str__(self) -> str:
        return self.one.title


def _judged(settings: Mapping[str, Any], slices: list[Slice]) -> tuple[list[Judged], int]:
    """Return the slices that are large enough, and how many are not; raises Unjudged."""
    if not slices:
        raise Unjudged("there are no slices in it")
    groups, least = settings["groups"], settings["least_rows"]
    for name in groups or ():
        if all(one.group != name for one in slices):
            known = ", ".join(dict.fromkeys(one.group for one in slices if one.group))
            raise Unjudged(f"there is no group of slices '{name}'; there are: {known or 'none'}")
    for name in settings["leave_out"]:
        if all(one.title != name for one in slices):
            raise Unjudged(f"there is no slice '{name}' to leave out")
    chosen = [
        one
        for one in slices
        if (groups is None or one.group in groups) and one.title not in settings["leave_out"]
    ]
    found = []
    for one in chosen:
        known_rows = least > 0 or settings["rows"] in one.values
        rows = _number(one, settings["rows"]) if known_rows else None
        if rows is not None and rows < 0:
            raise Unjudged(f"{settings['rows']} of {one.title} is {shown(rows)}")
        if rows is None or rows >= least:
            found.append(Judged(one, _number(one, settings["metric"]), rows))
    if not chosen:
        raise Unjudged("no slice is left to judge")
    if not found:
        raise Unjudged(f"no slice has {least} rows, so none was judged")
    for name in groups or ():
        if all(one.one.group != name for one in found):
            raise Unjudged(f"no slice of group '{name}' has {least} rows, so none was judged")
    return found, len(chosen) - len(found)


def _number(one: Slice, key: str) -> Any:
    if key not in one.values:
        raise Unjudged(f"{one.title} has no '{key}'")
    wrong = finite(one.values[key])
    if wrong:
        raise Unjudged(f"{key} of {one.title} {wrong}")
    return one.values[key]


def _worst(settings: Mapping[str, Any], better: int, judged: list[Judged]) -> Verdict:
    limit, metric = settings["worst"], settings["metric"]
    one = min(judged, key=lambda one: better * exact(one.value))
    good = better * (exact(one.value) - exact(limit)) >= 0
    count = f" ({one.rows} rows)" if one.rows is not None else ""
    edge = "minimum" if better > 0 else "maximum"
    why = f"{metric} of {one} is {shown(one.value, limit)}, {edge} {shown(limit, one.value)}{count}"
    word: Word = "pass" if good else "fail"
    return Verdict("slices", word, why, f"worst {metric}", one.value, limit)


def _gap(settings: Mapping[str, Any], judged: list[Judged]) -> Verdict:
    limit, metric = settings["gap"], settings["metric"]
    groups: dict[str, list[Judged]] = {}
    for each in judged:
        groups.setdefault(each.one.group, []).append(each)
    pairs = [
        (min(group, key=lambda one: one.value), max(group, key=lambda one: one.value))
        for group in groups.values()
        if len(group) > 1
    ]
    for name in settings["groups"] or ():
        if len(groups[name]) == 1:
            raise Unjudged(f"group '{name}' has one slice to judge: there is no gap in it")
    if not pairs:
        raise Unjudged("no group has two slices that are large enough: there is no gap to judge")
    low, high = max(pairs, key=lambda pair: exact(pair[1].value) - exact(pair[0].value))
    gap = exact(high.value) - exact(low.value)
    value = float(gap)
    why = (
        f"{metric} of {low} {shown(low.value)} and {high} {shown(high.value)}: "
        f"gap {shown(value, limit)}, maximum {shown(limit, value)}"
    )
    word: Word = "pass" if gap <= exact(limit) else "fail"
    return Verdict("slices", word, why, f"gap of {metric}", value, limit)

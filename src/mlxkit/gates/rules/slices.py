"""`slices: {file, metric, worst, gap, least_rows}`: a metric of each slice of the data.

A slice is a mapping that holds values; what holds mappings only is a group of slices. So the file
may be GROUP: SLICE: METRIC, or SLICE: METRIC alone, or nested deeper.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mlxkit.gates.bench import Bench, read
from mlxkit.gates.verdict import Unjudged, Verdict, Word, exact, finite, shown


class Slice(NamedTuple):
    """One slice: its group's name, its own, and what the file says of it."""

    group: str
    name: str
    values: Mapping[str, Any]

    @property
    def title(self) -> str:
        return f"{self.group}={self.name}" if self.group else self.name


def check(settings: Mapping[str, Any], bench: Bench) -> list[Verdict]:
    """Hold the worst slice, and the gap within each group, to their limits; raises Unjudged."""
    subject, path, metric = bench.subject, settings["file"], settings["metric"]
    file = read(subject, path)
    evidence = {subject.key(path): file.md5}
    try:
        judged, small = _judged(settings, list(slices_of(file.values)))
        found = []
        if settings["worst"] is not None:
            found.append(_worst(settings, bench.better(settings, metric), judged))
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


def slices_of(values: Any, above: tuple[str, ...] = ()) -> Iterator[Slice]:
    """Yield the slices that a metrics file holds."""
    if not isinstance(values, Mapping):
        return
    if above and any(not isinstance(one, Mapping) for one in values.values()):
        yield Slice(".".join(above[:-1]), above[-1], values)
        return
    for name, inner in values.items():
        yield from slices_of(inner, (*above, str(name)))


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
        if rows is None or rows >= least:
            found.append(Judged(one, _number(one, settings["metric"]), rows))
    if not found:
        raise Unjudged(f"no slice has {least} rows, so none was judged")
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
    edge = "least" if better > 0 else "most"
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
    if not pairs:
        raise Unjudged("no group has two slices that are large enough: there is no gap to judge")
    low, high = max(pairs, key=lambda pair: exact(pair[1].value) - exact(pair[0].value))
    gap = exact(high.value) - exact(low.value)
    value = float(gap)
    why = (
        f"{metric} of {low} {shown(low.value)} and {high} {shown(high.value)}: "
        f"gap {shown(value, limit)}, most {shown(limit, value)}"
    )
    word: Word = "pass" if gap <= exact(limit) else "fail"
    return Verdict("slices", word, why, f"gap of {metric}", value, limit)

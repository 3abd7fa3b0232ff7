"""The verdict line: whether the gates passed, and the one change that matters most (pure)."""

from collections.abc import Sequence

from mlxkit.core.words import number
from mlxkit.gates.verdict import shown
from mlxkit.reports.changes import Data, Gates, Headline, SliceTable, StageChange, Value, Values
from mlxkit.reports.slices import worse_of


def headline(
    gates: Gates,
    metrics: Values,
    slices: Sequence[SliceTable],
    params: Values,
    data: Data,
    stages: Sequence[StageChange],
    *,
    compared: bool,
) -> Headline:
    """Return the verdict line; `compared` tells that there was something to compare with."""
    word, verdict = _verdict(gates)
    failures = gates.failures
    if failures:
        more = len(failures) - 1
        return Headline(word, verdict, failures[0].why + (f" (and {more} more)" if more else ""))
    if gates.unjudged:
        return Headline(word, verdict, gates.unjudged[0].why)
    if not compared:
        return Headline(word, verdict, "there is nothing to compare with")
    change = (
        _metric(metrics)
        or _slice(slices)
        or _rest(params, data, stages)
        or "nothing that is measured or recorded changed"
    )
    return Headline(word, verdict, change)


def _verdict(gates: Gates) -> tuple[str, str]:
    if gates.none:
        return "none", "No gates any more" if gates.changes else "No gates"
    if gates.failed:
        return "failed", f"{_gates(gates.failed)} failed{_through(gates)}"
    if gates.unjudged:
        return "unjudged", f"{_gates([one.gate for one in gates.unjudged])} could not be judged"
    names = [one.gate for one in gates.outcomes]
    told = f"All {len(names)} gates passed" if len(names) > 1 else f"Gate {names[0]} passed"
    # Rules that are only added make nothing easier.
    eased = any(one.old is not None for one in gates.changes)
    return "passed", told + (", by other rules than at the base" if eased else "")


def _gates(names: Sequence[str]) -> str:
    return f"Gate{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _through(gates: Gates) -> str:
    """Say who let the gates through that failed, if somebody did with all of them."""
    by_gate = {one.gate: one.name for one in gates.overrides if not one.doubt}
    names = dict.fromkeys(by_gate[one] for one in gates.failed if one in by_gate)
    whole = by_gate.keys() >= set(gates.failed)
    return f", let through by {', '.join(names)}" if whole else ""


def _metric(metrics: Values) -> str:
    """Say the first metric that a gate judges, else the largest loss, else the largest gain."""
    for one in metrics.changed:
        if one.leading or one.lost or one.better is not None or one.old is None:
            return say_change(one)
    return ""


def say_change(one: Value) -> str:
    """Say a changed value in a few words."""
    name = f"{one.name or 'the value'} ({one.file})"
    if one.new is None:
        return f"{name} is gone: it was {_value(one.old)}"
    if one.old is None:
        return f"{name} is new: {_value(one.new)}"
    word = {True: "better", False: "worse", None: "changed"}[one.better]
    word = "no number" if one.lost else word
    return f"{name} {_value(one.old)} → {_value(one.new)}, {word}"


def _slice(tables: Sequence[SliceTable]) -> str:
    for table in tables:
        for one in worse_of(table):
            if one.old is not None and not one.small:
                name = f"{table.metric} of {one.title}"
                if one.new is None:
                    return f"{name} has no value now: it was {shown(one.old)}"
                return f"{name} {shown(one.old, one.new)} → {shown(one.new, one.old)}, worse"
    return ""


def _rest(params: Values, data: Data, stages: Sequence[StageChange]) -> str:
    told = [
        (len(params.changed), "parameter"),
        (len(data.files), "tracked file"),
        (len(stages), "stage"),
    ]
    some = [f"{number} {noun}{'s' if number > 1 else ''}" for number, noun in told if number]
    return f"{', '.join(some)} changed, and no metric" if some else ""


def _value(value: object) -> str:
    text = number(value, 5)
    return text if len(text) <= 40 else text[:39] + "…"

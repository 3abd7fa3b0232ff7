"""Which columns of experiments are worth showing, and which of them come first. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mlxkit.experiments.forms import Choice
from mlxkit.experiments.table import Column, Row, titles, varying
from mlxkit.metrics.importance import NESTED, Interest

_LATER = 4


class Wanted(NamedTuple):
    """Columns by importance, of which the first `sure` are shown whatever the width.

    `constant` are those that are left out because they are the same in all rows.
    """

    columns: Sequence[Column]
    sure: int
    constant: Sequence[Column]


def by_importance(
    groups: Sequence[Sequence[Row]],
    every: Sequence[Column],
    choice: Choice,
    pinned: Sequence[Column],
    interest: Interest,
    *,
    everything: bool,
) -> Wanted:
    """Return the columns to show: what was asked for, what was varied, and what it led to."""
    full = titles(every)
    pool = [one for one in every if one.kind != "deps" or everything]
    pool = [one for one in pool if one in pinned or not choice.dropped(full[one])]
    kept = [one for one in pool if any(map(choice.kept, {full[one], one.full, one.name}))]
    sure = list(dict.fromkeys([*pinned, *kept]))
    rows = [row for group in groups for row in group]
    varied = varying(rows, pool)
    tried = _tried(groups, [one for one in varied if one.kind == "params"])
    places = {one.path: at for at, one in reversed(list(enumerate(every)))}

    def order(one: Column) -> tuple[int, ...]:
        if one.kind == "params":
            return (0 if one in tried else 2,)
        if one.kind == "deps":
            return (_LATER + 1,)
        rank, place, depth = interest.rank(one.name)
        beside = one.path not in interest.files
        return (1 if rank < NESTED else _LATER, beside, rank, depth, place, places[one.path])

    chosen = sorted((one for one in pool if one in varied and one not in sure), key=order)
    rest = [one for one in pool if one not in varied and one not in sure]
    all_of_them = everything or not (chosen or sure or choice.only_changed)
    found = [*sure, *chosen, *(rest if all_of_them else ())]
    left = () if all_of_them else [one for one in rest if one.kind != "deps"]
    return Wanted(found, len(sure), left)


def in_reading_order(taken: Iterable[Column]) -> list[Column]:
    """Return columns as they stand in a line: parameters, metrics of one file together, data."""
    kinds: dict[str, dict[str, list[Column]]] = {"params": {}, "metrics": {}, "deps": {}}
    for one in taken:
        kinds[one.kind].setdefault(one.path, []).append(one)
    return [one for files in kinds.values() for each in files.values() for one in each]


def _tried(groups: Sequence[Sequence[Row]], varied: Iterable[Column]) -> set[Column]:
    """Return what differs between experiments and their commit, the working tree and its own."""
    found: set[Column] = set()
    waiting: list[Row] = []
    for group in groups:
        rows = [*waiting, *group]
        waiting = [] if len(rows) > 1 else rows
        if len(rows) > 1:
            found |= varying(rows, varied)
    return found

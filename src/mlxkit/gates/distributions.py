"""The values of columns of two tables, counted by DuckDB."""

from typing import NamedTuple

import numpy as np

from mlxkit.data.rows.compare import unified
from mlxkit.data.rows.read import ReadColumn
from mlxkit.gates.effects import (
    Distributions,
    Floats,
    population_stability,
    total_variation,
    wasserstein,
)
from mlxkit.gates.tables import Table, is_number


class Effect(NamedTuple):
    """How much a column moved, by one measure."""

    measure: str
    column: str
    size: float


def effects_of(
    before: Table, now: Table, pair: tuple[ReadColumn, ReadColumn], bins: int
) -> list[Effect]:
    """Return how much a column moved: numbers by `psi` and `wasserstein`, others by `variation`."""
    name = pair[1].name
    kind = unified(pair[0].type, pair[1].type)
    if not is_number(ReadColumn(name, "", kind)):
        counts = _counts(before, now, pair, kind)
        values = np.zeros(len(counts))
        found = Distributions(values, counts, np.zeros((0, 2)))
        return [Effect("variation", name, total_variation(found))]
    numbers = _numbers(before, now, pair)
    effects = [Effect("psi", name, population_stability(numbers, bins))]
    if numbers.counts.any(axis=0).all():
        effects.append(Effect("wasserstein", name, wasserstein(numbers)))
    return effects


def _counts(
    before: Table, now: Table, pair: tuple[ReadColumn, ReadColumn], kind: str
) -> Floats:  # fmt: skip
    """Count each value on both sides; empty cells are one."""
    one, other = pair
    rows = before.con.execute(
        "SELECT count(*) FILTER (NOT later) AS a, count(*) FILTER (later) AS b FROM ("
        f"SELECT CAST({one.id} AS {kind}) AS v, false AS later FROM {before.view} UNION ALL"
        f" SELECT CAST({other.id} AS {kind}), true FROM {now.view}) GROUP BY v"
    ).fetchnumpy()
    return np.stack([rows["a"], rows["b"]], axis=1).astype(np.float64)


def _numbers(before: Table, now: Table, pair: tuple[ReadColumn, ReadColumn]) -> Distributions:
    """Count the numbers of both sides: numpy's sort is quicker than grouping unlike numbers."""
    sides = [_column(table, one) for table, one in zip((before, now), pair, strict=True)]
    finite = [np.unique(side[np.isfinite(side)], return_counts=True) for side in sides]
    values = np.union1d(*(each for each, _ in finite))
    counts = np.zeros((len(values), 2))
    for at, (each, times) in enumerate(finite):
        counts[np.searchsorted(values, each), at] = times
    # NaN is as good as empty; the infinities are below and above all numbers.
    kinds = (np.isnan, np.isneginf, np.isposinf)
    others = [[np.count_nonzero(kind(side)) for side in sides] for kind in kinds]
    return Distributions(values, counts, np.array(others, dtype=np.float64))


def _column(table: Table, one: ReadColumn) -> Floats:
    cell = f"coalesce(CAST({one.id} AS DOUBLE), 'nan'::DOUBLE)"
    found = table.con.execute(f"SELECT {cell} AS v FROM {table.view}").fetchnumpy()
    values: Floats = np.ma.getdata(found["v"])
    return values

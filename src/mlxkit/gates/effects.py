"""How far two distributions are from each other: sizes of effects, which do not grow with the rows.

All take the distinct values with how often each occurs before and now.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_LEAST_SHARE = 1e-4
"""An empty bin counts as this: the index is a logarithm of shares."""


class Distributions(NamedTuple):
    """Counts (values, 2) before and now; `values` are numbers that ascend, or nobody asks.

    `others` (kinds, 2) counts what is no value, such as empty cells.
    """

    values: Floats
    counts: Floats
    others: Floats


def total_variation(found: Distributions) -> float:
    """Return the largest difference of the probability of any set of values, 0 to 1."""
    shares = _shares(np.concatenate([found.counts, found.others]))
    return float(np.abs(shares[:, 0] - shares[:, 1]).sum() / 2)


def wasserstein(found: Distributions) -> float:
    """Return how far the mass of numbers moved, in standard deviations of those before.

    Those before that are all alike have none: any move away from them is infinite.
    """
    shares = _shares(found.counts)
    if not (shares[:, 0] != shares[:, 1]).any():
        return 0.0
    there = shares[:, 0] > 0
    if np.count_nonzero(there) < 2:
        return float("inf")
    # In units of the largest before, and by halves: no square or difference may be infinite.
    before, largest = found.values[there], np.abs(found.values[there]).max()
    share = shares[there, 0]
    middle = (share * (before / largest)).sum()
    spread = float(np.sqrt((share * (before / largest - middle) ** 2).sum()))
    gap = np.abs(np.cumsum(shares[:, 0] - shares[:, 1]))[:-1]
    with np.errstate(over="ignore", divide="ignore"):
        moved = (gap * np.diff(found.values / 2)).sum() / largest / spread
    return float(2 * moved)


def population_stability(found: Distributions, bins: int) -> float:
    """Return the population stability index over quantiles of the numbers before.

    It is the symmetrised Kullback-Leibler divergence of the bins' shares (Siddiqi, Credit Risk
    Scorecards, 2006); each kind of what is no value is a bin of its own.
    """
    before = found.counts[:, 0]
    places = np.zeros(len(before), dtype=np.int64)
    if before.any():
        reached = np.cumsum(before) / before.sum()
        # A bin ends with the value that reaches its quantile; a frequent value may end several.
        ends = np.searchsorted(reached, np.arange(1, bins) / bins - 1e-12)
        places = np.searchsorted(ends, np.arange(len(before)))
    binned = [np.bincount(places, weights=side, minlength=bins) for side in found.counts.T]
    both = np.concatenate([np.stack(binned, axis=1), found.others])
    shares = np.maximum(_shares(both[both.any(axis=1)]), _LEAST_SHARE)
    return float(((shares[:, 1] - shares[:, 0]) * np.log(shares[:, 1] / shares[:, 0])).sum())


def _shares(counts: Floats) -> Floats:
    found: Floats = counts / counts.sum(axis=0)
    return found

"""Which metrics a project looks at first: those that `mlx.yaml` names, then usual ones."""

import math
import posixpath
from collections.abc import Mapping
from typing import Any, NamedTuple

from mlxkit.metrics.directions import usual_direction
from mlxkit.settings.load import settings

NESTED = 2
"""From this rank on it is not a whole metric that was named, but perhaps one of its slices."""


class Interest(NamedTuple):
    """What `mlx.yaml` names: the leaderboard's metric, its models' files, metrics in order."""

    metric: str = ""
    files: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def rank(self, name: str) -> tuple[int, int, int]:
        """Return what sorts a dotted name of a metric among others, the most important first."""
        last = name.rpartition(".")[2]
        if name == self.metric:
            return 0, 0, 0
        depth = name.count(".")
        if name in self.names:
            return 1, self.names.index(name), depth
        if last == self.metric:
            return NESTED, -1, depth
        if last in self.names:
            return NESTED, self.names.index(last), depth
        return (3 if usual_direction(name) else 4), 0, depth


def load_interest(root: str) -> Interest:
    """Read what the project's `mlx.yaml` names; raises ProjectError, with file and line."""
    told = settings(root)
    board: Mapping[str, Any] = told["leaderboard"] or {}
    files = tuple(posixpath.normpath(one) for one in (board.get("models") or {}).values())
    return Interest(board.get("metric") or "", files, tuple(told["metrics"]))


def by_importance(changes: Mapping[str, Mapping[str, Any]], interest: Interest) -> list[str]:
    """Return the names of changed metrics: what the project names first, then what changed most."""

    def order(name: str) -> tuple[tuple[int, int, int], float, str]:
        return interest.rank(name), -_relative(changes[name]), name

    return sorted(changes, key=order)


def _relative(change: Mapping[str, Any]) -> float:
    """Return how much of a value changed; a text, or what is there on one side only, wholly."""
    diff = change.get("diff")
    if diff is None or not math.isfinite(diff):
        return 1.0
    return float(abs(diff) / max(abs(change["old"]), abs(change["new"]))) if diff else 0.0

"""`--search`: Optuna says which parameters to try next, from what is known of those before.

Nothing is kept between two questions: each is asked with all that is known, in the order of the
runs, and with a seed of its own. So a search that was killed and goes on asks the same questions
as one that was not, from the results on disk alone.
"""

import hashlib
import os
import random
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.comparison.state import FileValues
from mlxkit.core.errors import MlxError
from mlxkit.experiments.objective import Missing, read_objective
from mlxkit.experiments.space import Space

DEFAULT_SEED = 0
_TRIES = 10
_MOST_LISTED = 100_000
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class Told(NamedTuple):
    """One run: its values, and its objective, None where it failed or has not ended."""

    number: int
    values: Mapping[str, str]
    value: float | None = None
    running: bool = False


class Search(NamedTuple):
    """What to search for: where, which direction of the metric is good, and the seed."""

    space: Space
    better: str
    seed: int = DEFAULT_SEED

    def suggest(self, number: int, told: Sequence[Told]) -> dict[str, str] | None:
        """Return values for run `number` that no other run has; None where all have been tried.

        `told` are all runs so far, those that have not ended, too. Raises MlxError where Optuna
        is not installed.
        """
        tried = {_key(one.values) for one in told}
        count = self.space.count
        if count is not None and len(tried) >= count:
            return None
        for attempt in range(_TRIES):
            values = self._asked(told, _seed(self.seed, number, attempt))
            if _key(values) not in tried:
                return values
        return self._other(tried, random.Random(_seed(self.seed, number, _TRIES)))

    def best(self, told: Sequence[Told]) -> Told | None:
        """Return the run with the best objective, the first of equal ones."""
        sign = 1 if self.better == "lower" else -1
        ended = [(sign * one.value, one.number, one) for one in told if one.value is not None]
        return min(ended)[2] if ended else None

    def _asked(self, told: Sequence[Told], seed: int) -> dict[str, str]:
        optuna = _optuna()
        dimensions = self.space.dimensions
        kinds = {name: one.distribution(optuna.distributions) for name, one in dimensions.items()}
        study = optuna.create_study(
            direction="minimize" if self.better == "lower" else "maximize",
            sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=True),
        )
        states = optuna.trial.TrialState
        for one in sorted(told, key=lambda one: one.number):
            if one.value is None and not one.running:
                continue  # a failed run says nothing about its neighbours
            study.add_trial(
                optuna.trial.create_trial(
                    state=states.RUNNING if one.running else states.COMPLETE,
                    value=one.value,
                    params={name: own.inner(one.values[name]) for name, own in dimensions.items()},
                    distributions=kinds,
                )
            )
        inner = study.ask(kinds).params
        return {name: one.text(inner[name]) for name, one in dimensions.items()}

    def _other(self, tried: set[str], chance: random.Random) -> dict[str, str] | None:
        """Return any values that were not tried, where Optuna keeps to those that were."""
        count = self.space.count
        if count is not None and count <= _MOST_LISTED:
            left = [values for values in self.space.all() if _key(values) not in tried]
            return chance.choice(left) if left else None
        for _ in range(1000):
            dimensions = self.space.dimensions
            values = {name: one.draw(chance) for name, one in dimensions.items()}
            if _key(values) not in tried:
                return values
        return None


class Asking:
    """A search of `count` runs in progress: what was asked, and what was told of it.

    `next` is called when a run can start, `tell` when it ended and before the next one is asked
    for; `recall` first, for the runs that are known from before.
    """

    def __init__(self, search: Search, metric: str, count: int) -> None:
        self._search = search
        self._metric = metric
        self._count = count
        self._told: list[Told] = []

    def recall(
        self, settings: Sequence[str], metrics: Mapping[str, FileValues] | None
    ) -> float | Missing | None:
        """Take a run from before; what `tell` returns."""
        values = self._search.space.values(settings)
        if values is None:
            return Missing("is not of this search")
        self._told.append(Told(len(self._told), values, running=True))
        return self.tell(settings, metrics)

    def next(self) -> tuple[str, ...] | None:
        """Return `[FILE:]KEY=VALUE` texts for the next run; None when there are no more."""
        number = len(self._told)
        if number >= self._count:
            return None
        values = self._search.suggest(number, self._told)
        if values is None:
            return None
        self._told.append(Told(number, values, running=True))
        return tuple(f"{name}={text}" for name, text in values.items())

    def tell(
        self, settings: Sequence[str], metrics: Mapping[str, FileValues] | None
    ) -> float | Missing | None:
        """Say how a run ended, with None where it failed.

        Returns its metric, or why there is no such number: it counts as failed then, too.
        """
        values = self._search.space.values(settings)
        place = next(at for at, one in enumerate(self._told) if one.values == values)
        found = None if metrics is None else read_objective(metrics, self._metric)
        value = found if isinstance(found, float) else None
        self._told[place] = self._told[place]._replace(value=value, running=False)
        return found

    def best(self) -> tuple[tuple[str, ...], float] | None:
        """Return the settings of the best run so far, and its metric; None where there is none."""
        best = self._search.best(self._told)
        if best is None or best.value is None:
            return None
        return tuple(f"{name}={text}" for name, text in best.values.items()), best.value


def _key(values: Mapping[str, str]) -> str:
    return repr(sorted(values.items()))


def _seed(*parts: int) -> int:
    """Return a seed of its own for each question, the same in every process."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4], "big")


def require_optuna() -> None:
    """Raise MlxError where Optuna is not installed."""
    _optuna()


def _optuna() -> Any:
    """Import Optuna; without the threads of its linear algebra: runs are forked from here."""
    if sys.modules.get("optuna") is None:
        before = {name: os.environ.get(name) for name in _THREADS}
        os.environ.update(dict.fromkeys(_THREADS, "1"))
        try:
            import optuna
        except ImportError:
            raise MlxError(
                "--search needs optuna, which is not installed",
                hint="run: pip install 'mlxkit[search]'",
            ) from None
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        optuna.logging.set_verbosity(optuna.logging.WARNING)
    return sys.modules["optuna"]

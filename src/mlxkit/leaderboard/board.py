"""What a leaderboard is made of, as plain data."""

from collections.abc import Mapping
from typing import NamedTuple


class Candidate(NamedTuple):
    """What may be ranked: a name, what kind of name it is, and the commit that it stands for.

    `kind` is commit, branch, tag, experiment, deployed or baseline.
    """

    name: str
    kind: str
    commit: str


class Question(NamedTuple):
    """What is asked: a metric (dotted), its good direction, and the metrics file of each model.

    Paths are relative to the project's root; `digest` is the frozen version of the test set.
    """

    metric: str
    better: str
    test: str
    digest: str
    models: Mapping[str, str]
    baselines: Mapping[str, str]


class Measured(NamedTuple):
    """Which version of the test set a metrics file was measured on; `reason`: why none is known.

    `key` names what was measured: the same predictions have the same key, wherever they are.
    """

    digest: str | None = None
    key: str = ""
    reason: str = ""
    md5: str | None = None
    """The recorded digest of the metrics file, where it is known."""


class Score(NamedTuple):
    """A metric's value in one metrics file; `reason`: why it has none that can be ranked."""

    value: float | None = None
    error: float | None = None
    """The standard error of the value, where the file says it."""
    reason: str = ""
    absent: bool = False
    """Whether there is a file, but no such metric in it."""


class Entry(NamedTuple):
    """One model of one candidate: what was measured, on what."""

    candidate: Candidate
    model: str
    measured: Measured
    score: Score


class Row(NamedTuple):
    """An entry that is ranked. `also` are other names of the very same measurement."""

    rank: int
    entry: Entry
    also: tuple[Candidate, ...] = ()
    not_better_than: tuple[str, ...] = ()
    """The baselines that it does not beat."""
    told_apart: bool = True
    """Whether it differs from the best by more than luck explains, as far as is known."""


class Left(NamedTuple):
    """What is not ranked, and why; `model` is empty where that is so of all its models."""

    candidate: Candidate
    model: str
    reason: str
    digest: str | None = None


class Wear(NamedTuple):
    """How often a version of a test set was used: models measured on it, choices on record."""

    models: frozenset[str] = frozenset()
    choices: int = 0

    @property
    def uses(self) -> int:
        """Return how many different models were measured."""
        return len(self.models)


class Board(NamedTuple):
    """The whole answer. `bias` is what the best gains by luck alone; None: not known."""

    question: Question
    rows: tuple[Row, ...]
    left: tuple[Left, ...]
    wear: Wear
    limit: int
    bias: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def worn(self) -> bool:
        """Tell whether the test set was used more often than it should be."""
        return self.wear.uses > self.limit

"""A report as plain data: all that Markdown, the page and JSON are drawn from."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mlxkit.gates.override import Override
from mlxkit.gates.verdict import Outcome, Verdict
from mlxkit.lineage.answer import Answer


class End(NamedTuple):
    """One side: the name that it was asked by, its commit (None: the working tree), its subject.

    `dirty` are files of the working tree that differ from HEAD.
    """

    name: str
    commit: str | None
    subject: str = ""
    dirty: Sequence[str] = ()


class Value(NamedTuple):
    """A metric or parameter that differs; what a side lacks is None there.

    `better` is None where nobody can tell; `leading` metrics are those that gates judge.
    """

    file: str
    name: str
    old: Any
    new: Any
    diff: float | None = None
    better: bool | None = None
    direction: str | None = None
    unit: str = ""
    leading: bool = False

    @property
    def lost(self) -> bool:
        """Tell whether it is gone, or was a number and is none now."""
        was_number = isinstance(self.old, (int, float)) and math.isfinite(self.old)
        return self.old is not None and (self.new is None or (was_number and self.diff is None))


class Slice(NamedTuple):
    """A metric of one slice at both sides; `small` ones have fewer rows than are judged."""

    title: str
    old: float | None
    new: float | None
    rows: int | None = None
    better: bool | None = None
    small: bool = False

    @property
    def worse(self) -> bool:
        """Tell whether it got worse; one without a value now did."""
        return self.better is False or (self.old is not None and self.new is None)


class SliceTable(NamedTuple):
    """One metric of all slices of a file; `direction` is the one that is good.

    `judged` tells that a rule judges the metric.
    """

    file: str
    metric: str
    direction: str
    slices: Sequence[Slice]
    judged: bool = False


class Values(NamedTuple):
    """What differs, how many are the same, and what could not be read."""

    changed: Sequence[Value]
    same: int = 0
    troubles: Sequence[str] = ()


class Untold(NamedTuple):
    """A gate that could not be judged, and what to do."""

    gate: str
    why: str
    hint: str


class RuleChange(NamedTuple):
    """A rule of a gate that differs, by its kind and what it is about: its settings at each side.

    What a side lacks is None there.
    """

    gate: str
    rule: str
    about: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None


class Gates(NamedTuple):
    """What the gates say; `none` where `mlx.yaml` has no gates.

    `changes` are the rules that are not those of the base.
    """

    outcomes: Sequence[Outcome] = ()
    overrides: Sequence[Override] = ()
    unjudged: Sequence[Untold] = ()
    none: bool = False
    changes: Sequence[RuleChange] = ()

    @property
    def passed(self) -> bool:
        """Tell whether there are gates, and all of them passed."""
        judged = bool(self.outcomes) and not self.unjudged
        return judged and all(one.passed for one in self.outcomes)

    @property
    def failed(self) -> list[str]:
        """Return the names of the gates that failed."""
        return [one.gate for one in self.outcomes if not one.passed]

    @property
    def failures(self) -> list[Verdict]:
        """Return the verdicts that do not pass, the clear ones first."""
        found = [one for gate in self.outcomes for one in gate.verdicts if not one.passes]
        return sorted(found, key=lambda one: one.verdict != "fail")


class Shift(NamedTuple):
    """What is different about a column of a table: in words."""

    column: str
    told: str


class TableChange(NamedTuple):
    """Rows of a table at both sides, and the columns that shifted most."""

    path: str
    old_rows: int | None
    new_rows: int | None
    shifts: Sequence[Shift] = ()
    note: str = ""


class FileChange(NamedTuple):
    """A tracked file that differs: `kind` is added, deleted, modified or renamed."""

    kind: str
    path: str
    old_path: str | None = None
    old_size: int | None = None
    new_size: int | None = None


class Data(NamedTuple):
    """Tracked files that differ, tables among them, and what could not be compared."""

    files: Sequence[FileChange] = ()
    tables: Sequence[TableChange] = ()
    notes: Sequence[str] = ()


class StageChange(NamedTuple):
    """A stage whose record in the lock differs, and why it ran.

    `kind` is `ran`, `new`, `renamed` or `gone`; `run` is the recorded run's id, `outcome` what
    became of it.
    """

    stage: str
    kind: str
    reasons: Sequence[str] = ()
    outs: Sequence[str] = ()
    run: str | None = None
    outcome: str = ""
    seconds: float | None = None


class StageCost(NamedTuple):
    """What the runs cost that made a stage's outputs, at both sides; None where none is known."""

    stage: str
    old_seconds: float | None
    new_seconds: float | None
    old_price: float | None = None
    new_price: float | None = None


class Costs(NamedTuple):
    """Costs by stage; `unknown` stages have no run on record."""

    stages: Sequence[StageCost] = ()
    unknown: int = 0
    currency: str = ""
    priced: bool = False


class Lineage(NamedTuple):
    """What the report's main model was made of; `left_out` are nodes that are not drawn."""

    path: str
    answer: Answer
    left_out: int = 0


class Headline(NamedTuple):
    """The verdict line: `passed`, `failed`, `unjudged` or `none`; and the most important change."""

    word: str
    verdict: str
    change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What changed from `base` to `head`; without a base there is nothing to compare with."""

    project: str
    base: End | None
    head: End
    headline: Headline
    gates: Gates
    metrics: Values
    slices: Sequence[SliceTable]
    params: Values
    data: Data
    stages: Sequence[StageChange]
    costs: Costs
    lineage: Lineage | None
    notes: Sequence[str]


Rules = Mapping[str, Sequence[Mapping[str, Mapping[str, Any]]]]
"""The rules of gates, as `mlx.yaml` has them, by gate."""

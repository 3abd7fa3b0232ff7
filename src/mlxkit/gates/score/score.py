"""Points of each test, of each part, and the score: the least of the four. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from mlxkit.gates.score.evidence import Evidence, Found, Workflow
from mlxkit.gates.score.questions import PARTS, QUESTIONS, Question

NOT_WRITTEN = ("mlx exp run",)
"""What no workflow that `mlx ci init` writes runs."""


class Answer(NamedTuple):
    """A test with what was found."""

    question: Question
    found: Found


class Score(NamedTuple):
    """The answers in the paper's order; `commit` is what the evidence is of."""

    commit: str
    answers: Sequence[Answer]
    workflow: Workflow

    def of(self, part: str) -> float:
        """Return the points of a part."""
        return sum(one.found.points for one in self.answers if one.question.part == part)

    @property
    def total(self) -> float:
        """Return the least of the four parts."""
        return min(self.of(part) for part in PARTS)

    @property
    def next(self) -> Answer | None:
        """Return what earns a point most cheaply: in the part with the fewest that can earn.

        What lacks a workflow alone comes first, if `mlx ci init` writes that.
        """
        open_ = [one for one in self.answers if one.question.effort and one.found.points < 1]
        if not open_:
            return None
        return min(
            open_,
            key=lambda one: (self.of(one.question.part), _effort(one)),
        )


def score(evidence: Evidence) -> Score:
    """Return the score of what is on record."""
    answers = [Answer(one, one.asks(evidence)) for one in QUESTIONS]
    return Score(evidence.commit, answers, evidence.workflow)


def _effort(one: Answer) -> int:
    half = one.found.points == 0.5
    return 0 if half and one.question.again not in NOT_WRITTEN else one.question.effort


def advice(one: Answer, workflow: Workflow) -> str:
    """Say what would earn the rest of a test's point."""
    asked, again = one.question, one.question.again
    step = f"a workflow that runs {again}" + ("" if again in NOT_WRITTEN else ": mlx ci init")
    if one.found.points == 0.5:
        return f"{step} ({one.found.why})"
    done = not asked.effort or not again or workflow.runs(again)
    return asked.earn if done else f"{asked.earn}; then {step}"

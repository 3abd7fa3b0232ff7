"""Points of each test, of each part, and the score: the least of the four. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from mlxkit.gates.score.evidence import Evidence, Found
from mlxkit.gates.score.questions import PARTS, QUESTIONS, Question


class Answer(NamedTuple):
    """A test with what was found."""

    question: Question
    found: Found


class Score(NamedTuple):
    """The answers in the paper's order; `commit` is what the evidence is of."""

    commit: str
    answers: Sequence[Answer]
    gate_is_run: bool

    def of(self, part: str) -> float:
        """Return the points of a part."""
        return sum(one.found.points for one in self.answers if one.question.part == part)

    @property
    def total(self) -> float:
        """Return the least of the four parts."""
        return min(self.of(part) for part in PARTS)

    @property
    def next(self) -> Answer | None:
        """Return what earns a point most cheaply: in the part with the fewest that can earn."""
        open_ = [one for one in self.answers if one.question.effort and one.found.points < 1]
        if not open_:
            return None
        return min(
            open_,
            key=lambda one: (
                self.of(one.question.part), -one.found.points, one.question.effort
            ),
        )  # fmt: skip


def score(evidence: Evidence) -> Score:
    """Return the score of what is on record."""
    answers = [Answer(one, one.asks(evidence)) for one in QUESTIONS]
    return Score(evidence.commit, answers, bool(evidence.workflow.gates))


def advice(one: Answer, gate_is_run: bool) -> str:
    """Say what would earn the rest of a test's point."""
    if one.found.points == 0.5:
        return f"a workflow that repeats it: mlx ci init ({one.found.why})"
    more = "" if gate_is_run or not one.question.effort else "; then a workflow: mlx ci init"
    return one.question.earn + (more if one.question.earn.startswith("gates:") else "")

"""What the revisions' own `mlx.yaml` say, and the verdicts on what a report is of."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.gates.judge import Judged, judge_each, overrides
from mlxkit.gates.revisions import Revisions
from mlxkit.metrics.preferences import Preference
from mlxkit.pipeline.session import Session
from mlxkit.reports.changes import End, Gates, RuleChange, Rules, Untold
from mlxkit.reports.rules import rule_changes


class Said(NamedTuple):
    """What a revision's own `mlx.yaml` says, as far as reports need it."""

    rules: Rules
    preferences: Mapping[str, Preference]
    leading: str
    """The leaderboard's metric, if there is one."""


def read_settings(session: Session, end: End) -> Said:
    """Return what `mlx.yaml` says at a revision; raises ProjectError."""
    revisions = Revisions(session)
    told = revisions.settings(revisions.judged(end.commit))
    preferences = {name: Preference(**one) for name, one in told["metrics"].items()}
    return Said(told["gates"], preferences, _leaderboard(told))


def read_rule_changes(
    session: Session, base: End, said: Said, notes: list[str]
) -> list[RuleChange]:
    """Return what became of the rules since the base; what cannot be told is a note."""
    try:
        before = read_settings(session, base)
    except MlxError as error:
        notes.append(f"what became of the gates' rules is not known: {error}")
        return []
    for name, old in before.preferences.items():
        new = said.preferences.get(name, Preference())
        if old.better != new.better:
            told = new.better or "not said"
            notes.append(
                f"the good direction of {name} was {old.better or 'not said'}, and is now {told}"
            )
    return rule_changes(before.rules, said.rules)


def judge_gates(
    session: Session, said: Said, names: Sequence[str], rev: str | None, base: str | None
) -> Gates:
    """Judge each gate once; one that cannot be judged does not stop the others.

    `rev` and `base` are what was asked for, so that the verdicts are those of `mlx gate`. Raises
    UsageError for a gate that is unknown, ProjectError for an invalid file.
    """
    if not said.rules and not names:
        return Gates(none=True)
    return gates_of(session, judge_each(session, names, rev, base))


def gates_of(session: Session, judged: Judged) -> Gates:
    """Return verdicts as a report has them; raises MlxError where overrides cannot be read."""
    unjudged = [
        Untold(name, str(error), error.hint or "") for name, error in judged.unjudged.items()
    ]
    return Gates(judged.outcomes, overrides(session, judged), unjudged)


def _leaderboard(told: Mapping[str, Any]) -> str:
    board = told.get("leaderboard")
    metric = board.get("metric") if isinstance(board, Mapping) else None
    return metric if isinstance(metric, str) else ""

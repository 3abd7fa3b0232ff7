"""The gates of what a report is of, each judged once."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError, ProjectError, UsageError
from mlxkit.gates.judge import judge, overrides
from mlxkit.gates.subject import Revisions
from mlxkit.metrics.preferences import Preference
from mlxkit.pipeline.session import Session
from mlxkit.reports.changes import End, Gates, Rules, Untold


class Said(NamedTuple):
    """What the revision's own `mlx.yaml` says, as far as reports need it."""

    rules: Rules
    preferences: Mapping[str, Preference]
    leading: str
    """The leaderboard's metric, if there is one."""


def read_settings(session: Session, head: End) -> Said:
    """Return what `mlx.yaml` says at the revision; raises ProjectError."""
    revisions = Revisions(session)
    told = revisions.settings(revisions.judged(head.commit))
    preferences = {name: Preference(**one) for name, one in told["metrics"].items()}
    return Said(told["gates"], preferences, _leaderboard(told))


def judge_gates(
    session: Session, said: Said, names: Sequence[str], rev: str | None, base: str | None
) -> Gates:
    """Judge the gates one after the other; one that cannot be judged does not stop the others.

    `rev` and `base` are what was asked for, so that the verdicts are those of `mlx gate`. Raises
    UsageError for a gate that is unknown, ProjectError for an invalid file.
    """
    if not said.rules and not names:
        return Gates(none=True)
    found: Gates = Gates()
    for name in names or list(said.rules):
        try:
            told = judge(session, [name], rev, base)
            through = overrides(session, told)
        except (UsageError, ProjectError):
            raise
        except MlxError as error:
            untold = Untold(name, str(error), error.hint or "")
            found = found._replace(unjudged=[*found.unjudged, untold])
            continue
        found = found._replace(
            outcomes=[*found.outcomes, *told.outcomes], overrides=[*found.overrides, *through]
        )
    return found


def _leaderboard(told: Mapping[str, Any]) -> str:
    board = told.get("leaderboard")
    metric = board.get("metric") if isinstance(board, Mapping) else None
    return metric if isinstance(metric, str) else ""

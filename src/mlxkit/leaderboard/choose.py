"""Records that a candidate was chosen: an event of the audit log, with all it was chosen among."""

from mlxkit.audit.event import Kind
from mlxkit.audit.log import append
from mlxkit.core.errors import UsageError
from mlxkit.leaderboard.board import Board, Row


def choose(git_root: str, board: Board, name: str) -> Row:
    """Note the choice of a ranked candidate, and of its models the best; return its row.

    What it was chosen among is kept with it, so that those models count as used when their
    experiments are gone. Raises UsageError for a name that is not ranked, MlxError and BusyError
    where the log cannot be written.
    """
    row = _row(board, name)
    question, entry = board.question, row.entry
    what = {
        "candidate": name,
        "commit": entry.candidate.commit,
        "model": entry.model,
        "metric": question.metric,
        "value": entry.score.value,
        "rank": row.rank,
        "test": {"path": question.test, "digest": question.digest},
        "among": sorted(board.wear.models),
    }
    append(git_root, Kind.CHOSEN, what)
    return row


def _row(board: Board, name: str) -> Row:
    for row in board.rows:
        if name in {one.name for one in (row.entry.candidate, *row.also)}:
            return row
    for one in board.left:
        if one.candidate.name == name:
            raise UsageError(
                f"'{name}' is not ranked: {one.reason}", hint="see: mlx leaderboard --json"
            )
    raise UsageError(f"'{name}' is not on the leaderboard", hint="see: mlx leaderboard")

"""A leaderboard as JSON. Pure."""

from typing import Any

from mlxkit.leaderboard.board import Board, Candidate, Left, Row


def document(board: Board, most: int | None = None) -> dict[str, Any]:
    """Return the document of a board, with no more than the `most` best."""
    question = board.question
    return {
        "metric": question.metric,
        "better": question.better,
        "test": {"path": question.test, "digest": question.digest},
        "uses": board.wear.uses,
        "choices": board.wear.choices,
        "limit": board.limit,
        "worn": board.worn,
        "bias": board.bias,
        "ranking": [_row(one) for one in board.rows[:most]],
        "not_comparable": [_left(one) for one in board.left],
        "notes": list(board.notes),
    }


def _row(row: Row) -> dict[str, Any]:
    entry = row.entry
    return {
        "rank": row.rank,
        **_named(entry.candidate),
        "model": entry.model,
        "value": entry.score.value,
        "error": entry.score.error,
        "told_apart": row.told_apart,
        "not_better_than": list(row.not_better_than),
        "also": [_named(one) for one in row.also],
    }


def _left(one: Left) -> dict[str, Any]:
    named = _named(one.candidate)
    return {**named, "model": one.model, "reason": one.reason, "digest": one.digest}


def _named(one: Candidate) -> dict[str, Any]:
    return {"name": one.name, "kind": one.kind, "commit": one.commit}

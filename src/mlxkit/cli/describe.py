"""Puts results and reasons into words, and into the contract's JSON."""

import os
from typing import Any

from mlxkit.core.errors import MlxError
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.result import Result

# How a kind of reason is said; {} stands for the paths or keys it concerns.
_PHRASES = {
    "new": "new stage",
    "cmd-changed": "command changed",
    "dep-changed": "changed: {}",
    "param-changed": "parameter {}",
    "out-changed": "output changed: {}",
    "out-missing": "output missing: {}",
    "upstream": "after {}",
    "forced": "forced",
    "always": "always runs ({})",
    "env-changed": "environment changed: {}",
}
_SHOWN = 2


def reason_text(reason: Reason) -> str:
    """Say one reason in a few words."""
    return _PHRASES[reason.kind].format(_subject(reason))


def reasons_text(reasons: tuple[Reason, ...] | list[Reason]) -> str:
    """Say the reasons in one line: by kind, of many paths or keys the first few."""
    subjects: dict[str, list[str]] = {}
    for one in reasons:
        subjects.setdefault(one.kind, []).append(_subject(one))
    return "; ".join(_PHRASES[kind].format(_some(told)) for kind, told in subjects.items())


def _subject(reason: Reason) -> str:
    return f"{reason.what} ({reason.detail})" if reason.detail else reason.what


def _some(told: list[str]) -> str:
    more = len(told) - _SHOWN
    return ", ".join(told[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def reason_json(reason: Reason) -> dict[str, str]:
    """Return a reason as other programs read it."""
    told = {"kind": reason.kind, "what": reason.what}
    return {**told, "detail": reason.detail} if reason.detail else told


def error_json(error: MlxError) -> dict[str, Any]:
    """Return an error as other programs read it."""
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "where": error.where,
    }


def result_json(result: Result) -> dict[str, Any]:
    """Return a stage's outcome as other programs read it."""
    document: dict[str, Any] = {
        "stage": result.stage.address(os.getcwd()),
        "outcome": result.outcome,
        "reasons": [reason_json(one) for one in result.reasons],
        "seconds": round(result.seconds, 3),
        "run": result.run,
    }
    if result.error is not None:
        document["error"] = error_json(result.error)
    if result.log is not None:
        document["log"] = os.path.relpath(result.log)
    return document

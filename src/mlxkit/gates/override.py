"""A failed gate let through: by whom, why, and which verdict; on record, never silent."""

from collections.abc import Iterable
from typing import NamedTuple

from mlxkit.core.errors import UsageError
from mlxkit.gates.keep import Kept, Place, keep_override, newest


class Override(NamedTuple):
    """Who let a gate's failed verdict through, and why."""

    gate: str
    name: str
    reason: str
    when: str
    record: str


def check(reason: str, name: str) -> None:
    """Refuse an override without a reason or a name; raises UsageError."""
    if not reason.strip():
        raise UsageError("--override needs a reason", hint="give one: --reason 'TEXT'")
    if not name.strip():
        raise UsageError("--override needs a name", hint="give yours: --name NAME")


def let_through(
    place: Place, commit: str, gate: str, verdict: str, *, name: str, reason: str
) -> str:
    """Keep that the failed `verdict`, a record's id, is let through; returns the record's id.

    Raises UsageError, and MlxError where it cannot be kept.
    """
    check(reason, name)
    told = {"name": name.strip(), "reason": reason.strip(), "verdict": verdict}
    return keep_override(place, commit, gate, told)


def in_force(kept: Iterable[Kept], commit: str, gate: str) -> Override | None:
    """Return the override of the gate's newest verdict at a commit; one of an older is void."""
    known = list(kept)
    verdict = newest(known, "verdict", commit, gate)
    found = newest(known, "override", commit, gate)
    if verdict is None or found is None or found.what.get("verdict") != verdict.id:
        return None
    told = found.what
    return Override(gate, str(told.get("name")), told["reason"], found.when, found.id)

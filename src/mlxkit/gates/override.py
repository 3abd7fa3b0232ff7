"""A failed gate let through: by whom, why, and which verdict; on record, never silent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.core.errors import UsageError
from mlxkit.gates.ledger import Kept, Place, alike, keep_override, newest
from mlxkit.gates.vouched import doubts


class Override(NamedTuple):
    """Who let a gate's failed verdict through, and why; `doubt` says why that does not count."""

    gate: str
    name: str
    reason: str
    when: str
    record: str
    doubt: str = ""


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
    """Return the override of the gate's newest verdict at a commit; one of another is void.

    The same verdict of another clone, as a server's, is none: which of two is newer may be luck.
    """
    known = list(kept)
    verdict = newest(known, "verdict", commit, gate)
    found = newest(known, "override", commit, gate)
    if verdict is None or found is None:
        return None
    named = next((one for one in known if one.id == found.what.get("verdict")), None)
    if named is None or not alike(named, verdict):
        return None
    told = found.what
    return Override(gate, str(told.get("name")), told["reason"], found.when, found.id)


def checked(
    place: Place, known: Iterable[Kept], found: Override, rules: Sequence[Mapping[str, Any]]
) -> Override:
    """Return an override with the doubt about it, if there is one; raises MlxError.

    `rules` are those of its gate.
    """
    own = [one for one in known if one.id == found.record]
    told = doubts(place, own, signed=must_be_signed(rules))
    return found._replace(doubt=told.get(found.record, ""))


def must_be_signed(rules: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a gate whose approvals must be signed asks the same of overrides."""
    return any(rule["approval"]["signed"] for rule in rules if "approval" in rule)

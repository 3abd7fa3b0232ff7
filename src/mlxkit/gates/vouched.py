"""Which records the audit log vouches for: others may be of anyone who can push to their ref."""

from collections.abc import Sequence

from mlxkit.audit import log
from mlxkit.audit.event import Event, Kind
from mlxkit.audit.verify import examine
from mlxkit.gates.approvals import well_signed
from mlxkit.gates.ledger import Kept, Place

_ABSENT = "it is not in the audit log"
_UNSIGNED = "it has no good signature of whom it names"
_KINDS = {"verdict": Kind.GATE_VERDICT, "override": Kind.OVERRIDE}


def doubts(place: Place, kept: Sequence[Kept], *, signed: bool = False) -> dict[str, str]:
    """Return why records do not count, by their ids; those that are not in it do.

    A record counts that is an event of a whole audit log, which names it by its digest. `signed`
    asks overrides for a good signature of whom their event names. Raises MlxError.
    """
    if not kept:
        return {}
    known = {one.id: one for one in kept}

    def ours(event: Event) -> bool:
        one = known.get(str(event.what.get("record")))
        said = [event.what.get(key) for key in ("commit", "gate", "project")]
        return one is not None and event.kind == _KINDS[one.kind] and said == (
            [one.commit, one.gate, place.project]
        )  # fmt: skip

    found = log.entries(place.git_root, ours)
    if found and (problems := examine(place.git_root).problems):
        return dict.fromkeys(known, f"the audit log is not whole: {problems[0].why}")
    unsigned = _unsigned(place, found) if signed else set()
    there = {one.event.what["record"] for one in found}
    sure = {one.event.what["record"] for one in found if one.commit not in unsigned}
    return {name: _UNSIGNED if name in there else _ABSENT for name in known.keys() - sure}


def _unsigned(place: Place, found: Sequence[log.Entry]) -> set[str]:
    """Return the commits of overrides that are not signed by whom they name."""
    overrides = [one for one in found if one.event.kind == Kind.OVERRIDE]
    return {one.commit for one in overrides} - well_signed(place.git_root, overrides)

"""`refs/mlx/gates`: verdicts of gates and overrides, each tied to a commit; the newest counts."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit import __version__
from mlxkit.audit import log
from mlxkit.audit.event import Kind, timestamp
from mlxkit.audit.memory import alone
from mlxkit.core.limits import excess, finite, refuse
from mlxkit.gates.verdict import Outcome, document
from mlxkit.runs.chain import Chain
from mlxkit.runs.record import canonical, digest
from mlxkit.runs.repository import identify

FORMAT = 1
_LARGEST = 1 << 20
MEASURED = ("latency", "memory")
"""Rules whose figures are of the machine that judges: the same verdict has others each time."""
_OF_EACH = ("rule", "verdict", "why")
_TEXTS = ("commit", "gate", "project", "when", "who")


class Kept(NamedTuple):
    """A record: `verdict` or `override`, of a gate at a commit. `what` is all that it says."""

    id: str
    kind: str
    commit: str
    gate: str
    when: str
    what: Mapping[str, Any]


class Place(NamedTuple):
    """Where records are kept: the repository, and the project's folder in it."""

    git_root: str
    project: str


def _parse(data: bytes) -> dict[str, Any] | None:
    """Return a record as JSON says it, None for what is none."""
    try:
        found = json.loads(data, parse_constant=refuse, parse_float=finite)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("format") != FORMAT or excess(found):
        return None
    texts = all(isinstance(found.get(one), str) for one in _TEXTS)
    return found if texts and (_is_verdict(found) or _is_override(found)) else None


def _is_override(found: Mapping[str, Any]) -> bool:
    return found.get("kind") == "override" and isinstance(found.get("reason"), str)


def _is_verdict(found: Mapping[str, Any]) -> bool:
    verdicts = found.get("verdicts")
    return (
        found.get("kind") == "verdict"
        and isinstance(found.get("passed"), bool)
        and isinstance(verdicts, list)
        and all(
            isinstance(one, dict) and all(isinstance(one.get(key), str) for key in _OF_EACH)
            for one in verdicts
        )
    )


CHAIN = Chain("refs/mlx/gates", "gates", _LARGEST, lambda data: _parse(data) is not None)


def records(place: Place) -> list[Kept]:
    """Return all records of the project, oldest first by the chain, not by the writers' clocks.

    Raises MlxError where Git cannot.
    """
    found = []
    for name, data in CHAIN.read_in_order(place.git_root).items():
        told = _parse(data)
        if told is not None and told["project"] == place.project:
            found.append(Kept(name, told["kind"], told["commit"], told["gate"], told["when"], told))
    return found


def newest(kept: Iterable[Kept], kind: str, commit: str, gate: str) -> Kept | None:
    """Return the newest of some records, oldest first, that is of that kind, commit and gate."""
    asked = (kind, commit, gate)
    return next((one for one in reversed(list(kept)) if one[1:4] == asked), None)


def keep_outcomes(
    place: Place,
    commit: str,
    outcomes: Iterable[Outcome],
    rules: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, str]:
    """Keep the verdicts of gates, each as `keep_outcome` does; returns the records' ids by gate.

    Of several processes at once the later ones see what the first one kept. Raises MlxError.
    """
    with alone(place.git_root, "gates"):
        known = records(place)
        return {
            one.gate: keep_outcome(place, commit, one, rules[one.gate], known) for one in outcomes
        }


def keep_outcome(
    place: Place,
    commit: str,
    outcome: Outcome,
    rules: Sequence[Mapping[str, Any]],
    known: Iterable[Kept],
) -> str:
    """Keep a gate's verdicts, with an event in the audit log; returns the record's id.

    What is on record already, to the letter, is not repeated. Raises MlxError.
    """
    before = on_record(known, commit, outcome, rules)
    if before is not None:
        return before.id
    told = _told(outcome, rules)
    failed = [one.why for one in outcome.verdicts if not one.passes]
    said = {"passed": outcome.passed, "failed": failed}
    return _keep(place, ("verdict", commit, outcome.gate), told, Kind.GATE_VERDICT, said)


def on_record(
    known: Iterable[Kept], commit: str, outcome: Outcome, rules: Sequence[Mapping[str, Any]]
) -> Kept | None:
    """Return the newest record of the gate at the commit, if it says the same as this outcome."""
    before = newest(known, "verdict", commit, outcome.gate)
    return before if before is not None and _same(before.what, _told(outcome, rules)) else None


def alike(one: Kept, other: Kept) -> bool:
    """Tell whether two verdicts, of the same gate and commit, say the same."""
    return _same(one.what, {key: other.what.get(key) for key in ("passed", "rules", "verdicts")})


def _told(outcome: Outcome, rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "passed": outcome.passed,
        "rules": digest(canonical(list(rules))),
        "verdicts": [document(outcome.gate, one) for one in outcome.verdicts],
    }


def _same(before: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Tell whether a record says the same, but for what is measured: that differs each time."""
    plain = {**told, "verdicts": [_unmeasured(one) for one in told["verdicts"]]}
    known = [_unmeasured(one) for one in before["verdicts"]]
    return all({**before, "verdicts": known}.get(key) == value for key, value in plain.items())


def _unmeasured(verdict: Mapping[str, Any]) -> dict[str, Any]:
    left_out = ("value", "why", "figures") if verdict.get("rule") in MEASURED else ()
    return {key: value for key, value in verdict.items() if key not in left_out}


def keep_override(place: Place, commit: str, gate: str, told: Mapping[str, Any]) -> str:
    """Keep who let a failed gate through and why, with an event in the audit log.

    Returns the record's id. Raises MlxError.
    """
    return _keep(place, ("override", commit, gate), told, Kind.OVERRIDE, told)


def _keep(
    place: Place,
    of: tuple[str, str, str],
    told: Mapping[str, Any],
    event: Kind,
    said: Mapping[str, Any],
) -> str:
    """Write the event, then the record: what counts is in the log, whatever happens between."""
    kind, commit, gate = of
    who = identify(place.git_root)
    about = {"commit": commit, "gate": gate, "project": place.project}
    data = canonical(
        {
            **told,
            **about,
            "format": FORMAT,
            "kind": kind,
            "when": timestamp(time.time_ns()),
            "who": who.line.rpartition("> ")[0] + ">",
            "mlx": __version__,
        }
    )
    log.append(place.git_root, event, {**said, **about, "record": digest(data)})
    return CHAIN.append(place.git_root, data, who, f"{kind} of gate {gate} at {commit[:12]}")

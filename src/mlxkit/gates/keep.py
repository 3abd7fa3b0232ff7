"""`refs/mlx/gates`: verdicts of gates and overrides, each tied to a commit; the newest counts."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit import __version__
from mlxkit.audit import log
from mlxkit.audit.event import Kind, timestamp
from mlxkit.gates.verdict import Outcome, document
from mlxkit.runs.chain import Chain
from mlxkit.runs.limits import finite, refuse, too_deep
from mlxkit.runs.record import canonical, digest
from mlxkit.runs.repository import identify

FORMAT = 1
_LARGEST = 1 << 20
MEASURED = ("latency", "memory")
"""Rules whose figures are of the machine that judges: the same verdict has others each time."""
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
    if not isinstance(found, dict) or found.get("format") != FORMAT or too_deep(found):
        return None
    kinds = {"verdict": ("passed", bool), "override": ("reason", str)}
    name, type_ = kinds.get(str(found.get("kind")), ("", bool))
    right = isinstance(found.get(name), type_) and all(
        isinstance(found.get(one), str) for one in _TEXTS
    )
    return found if right else None


CHAIN = Chain("refs/mlx/gates", "gates", _LARGEST, lambda data: _parse(data) is not None)


def records(place: Place) -> list[Kept]:
    """Return all records of the project, oldest first; raises MlxError where Git cannot."""
    found = []
    for name, data in CHAIN.read_all(place.git_root).items():
        told = _parse(data)
        if told is not None and told["project"] == place.project:
            found.append(Kept(name, told["kind"], told["commit"], told["gate"], told["when"], told))
    return sorted(found, key=lambda one: (one.when, one.id))


def newest(kept: Iterable[Kept], kind: str, commit: str, gate: str) -> Kept | None:
    """Return the newest of some records, oldest first, that is of that kind, commit and gate."""
    asked = (kind, commit, gate)
    return next((one for one in reversed(list(kept)) if one[1:4] == asked), None)


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
    told = {
        "passed": outcome.passed,
        "rules": digest(canonical(list(rules))),
        "verdicts": [document(outcome.gate, one) for one in outcome.verdicts],
    }
    before = newest(known, "verdict", commit, outcome.gate)
    if before is not None and _same(before.what, told):
        return before.id
    name = _keep(place, "verdict", commit, outcome.gate, told)
    failed = [one.why for one in outcome.verdicts if not one.passes]
    what = {
        "gate": outcome.gate, "passed": outcome.passed, "commit": commit, "failed": failed,
        "project": place.project, "record": name,
    }  # fmt: skip
    log.append(place.git_root, Kind.GATE_VERDICT, what)
    return name


def _same(before: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Tell whether a record says the same, but for what is measured: that differs each time."""
    plain = {**told, "verdicts": [_unmeasured(one) for one in told["verdicts"]]}
    known = [_unmeasured(one) for one in before.get("verdicts", ()) if isinstance(one, Mapping)]
    return all({**before, "verdicts": known}.get(key) == value for key, value in plain.items())


def _unmeasured(verdict: Mapping[str, Any]) -> dict[str, Any]:
    left_out = ("value", "why", "figures") if verdict.get("rule") in MEASURED else ()
    return {key: value for key, value in verdict.items() if key not in left_out}


def keep_override(place: Place, commit: str, gate: str, told: Mapping[str, Any]) -> str:
    """Keep who let a failed gate through and why, with an event in the audit log.

    Returns the record's id. Raises MlxError.
    """
    name = _keep(place, "override", commit, gate, told)
    what = {"gate": gate, "commit": commit, "project": place.project, **told, "record": name}
    log.append(place.git_root, Kind.OVERRIDE, what)
    return name


def _keep(place: Place, kind: str, commit: str, gate: str, told: Mapping[str, Any]) -> str:
    who = identify(place.git_root)
    data = canonical(
        {
            **told,
            "format": FORMAT,
            "kind": kind,
            "commit": commit,
            "gate": gate,
            "project": place.project,
            "when": timestamp(time.time_ns()),
            "who": who.line.rpartition("> ")[0] + ">",
            "mlx": __version__,
        }
    )
    return CHAIN.append(place.git_root, data, who, f"{kind} of gate {gate} at {commit[:12]}")

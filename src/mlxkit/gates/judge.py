"""Judges a revision by its gates, and keeps the verdicts where they can be tied to a commit."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError, ProjectError, UsageError
from mlxkit.gates import override
from mlxkit.gates.accepted import finder
from mlxkit.gates.bench import Bench
from mlxkit.gates.evaluate import Rule, evaluate
from mlxkit.gates.keep import Place, keep_outcome, records
from mlxkit.gates.occasion import occasion_of
from mlxkit.gates.override import Override
from mlxkit.gates.subject import Revision, Revisions
from mlxkit.gates.verdict import Outcome, Unjudged
from mlxkit.metrics.preferences import Preference
from mlxkit.pipeline.session import Session
from mlxkit.runs.choose import project_of
from mlxkit.settings.load import FILE
from mlxkit.tools import git

_WHOLE = ("reproducible", "approval")
"""Kinds of rules that look at the whole tree."""


class Judged(NamedTuple):
    """What came out. `commit` is what the verdicts are tied to; None where `untied` says why."""

    outcomes: Sequence[Outcome]
    rules: Mapping[str, Sequence[Rule]]
    commit: str | None
    untied: str = ""

    @property
    def passed(self) -> bool:
        """Tell whether every gate passed."""
        return all(one.passed for one in self.outcomes)


def judge(session: Session, names: Sequence[str], rev: str | None, base: str | None) -> Judged:
    """Judge a commit, or the working tree, by the gates of its own `mlx.yaml`; keeps nothing.

    Raises UsageError for an unknown gate or revision, ProjectError where there are no gates,
    MlxError where there is nothing to judge yet: see `evaluate`.
    """
    revisions = Revisions(session)
    subject = revisions.judged(rev)
    if base is not None:
        revisions.commit(base)
    told = revisions.settings(subject)
    rules = chosen_gates(told["gates"], names, subject)
    preferences = {name: Preference(**one) for name, one in told["metrics"].items()}
    occasion = occasion_of(session.git_root, rev)
    place = _place(session) if session.git_root is not None else None
    bench = Bench(
        subject, revisions.at, preferences, base, session=session, occasion=occasion,
        accepted=finder(place, subject, revisions.at),
    )  # fmt: skip
    outcomes = [evaluate(name, each, bench) for name, each in rules.items()]
    if subject.commit is not None:
        return Judged(outcomes, rules, subject.commit)
    if session.git_root is None:
        return Judged(outcomes, rules, None, "the project is not in a Git repository")
    untied = _unlike(session.git_root, rules) or _uncommitted(revisions, subject, told, outcomes)
    commit = None if untied else revisions.commit("HEAD")
    return Judged(outcomes, rules, commit, untied)


def keep(session: Session, judged: Judged) -> dict[str, str]:
    """Keep the verdicts with their commit; returns the records' ids by gate.

    Raises MlxError where they cannot be kept.
    """
    place, commit = _place(session), _tied(judged)
    known = records(place)
    return {
        one.gate: keep_outcome(place, commit, one, judged.rules[one.gate], known)
        for one in judged.outcomes
    }


def let_through(
    session: Session, judged: Judged, kept: Mapping[str, str], name: str, reason: str
) -> None:
    """Keep overrides of the gates that failed; raises UsageError, MlxError."""
    place, commit = _place(session), _tied(judged)
    for one in judged.outcomes:
        if not one.passed:
            verdict = kept[one.gate]
            override.let_through(place, commit, one.gate, verdict, name=name, reason=reason)


def overrides(session: Session, judged: Judged) -> list[Override]:
    """Return who let failed gates through, as far as it is on record; raises MlxError."""
    if judged.commit is None or judged.passed:
        return []
    known = records(_place(session))
    failed = [one.gate for one in judged.outcomes if not one.passed]
    found = [override.in_force(known, judged.commit, name) for name in failed]
    return [one for one in found if one is not None]


def chosen_gates(
    gates: Mapping[str, Sequence[Rule]], names: Sequence[str], subject: Revision
) -> dict[str, Sequence[Rule]]:
    """Return the gates of these names, all without any; raises UsageError, ProjectError."""
    where = FILE if subject.commit is None else f"{subject.name}:{FILE}"
    if not gates:
        raise ProjectError(
            "there are no gates in it",
            where=where,
            hint='write: gates: {test: [{threshold: {metric: "metrics.json:accuracy", min: 0.9}}]}',
        )
    for name in names:
        if name not in gates:
            near = difflib.get_close_matches(name, gates, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(gates)}"
            raise UsageError(f"{where} has no gate '{name}'", hint=hint)
    return {name: gates[name] for name in (names or gates)}


def _uncommitted(
    revisions: Revisions, subject: Revision, told: Mapping[str, Any], outcomes: Sequence[Outcome]
) -> str:
    """Say what of all that was judged is not in HEAD; empty where HEAD would be judged alike."""
    try:
        head = revisions.judged("HEAD")
        theirs = revisions.settings(head)
    except UsageError:
        return "nothing is committed yet"
    except MlxError as error:
        return f"HEAD is not like the working tree: {error}"
    if any(theirs[key] != told[key] for key in ("gates", "metrics")):
        return f"{FILE} is not committed"
    own = set(subject.files())
    if own != set(head.files()):
        return "the pipeline's metrics files are not those of HEAD"
    evidence = {path: md5 for one in outcomes for each in one.verdicts
                for path, md5 in each.evidence.items() if ":" not in path}  # fmt: skip
    for path, md5 in evidence.items():
        try:
            found = head.read(path) if path in own else head.data(path)
            same = found.md5 == md5
        except (Unjudged, MlxError):
            same = False
        if not same:
            return f"{path}, or what the lock records of it, is not committed"
    return ""


def _unlike(git_root: str, rules: Mapping[str, Sequence[Rule]]) -> str:
    """Say what is not committed where a rule looks at the whole tree, not at single files."""
    items = [item for each in rules.values() for one in each for item in one.items()]
    if not any(kind in _WHOLE or (told.get("when") or {}).get("paths") for kind, told in items):
        return ""
    changed = git.changed(git_root)
    return f"{changed[0]} is not committed" if changed else ""


def _place(session: Session) -> Place:
    assert session.git_root is not None
    return Place(session.git_root, project_of(session.root, session.git_root))


def _tied(judged: Judged) -> str:
    if judged.commit is None:
        raise MlxError(f"verdicts cannot be kept: {judged.untied}", hint="commit, then repeat")
    return judged.commit

"""Judges a revision by its gates, and keeps the verdicts where they can be tied to a commit."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError, ProjectError, UsageError
from mlxkit.core.progress import SILENT, Progress
from mlxkit.gates import override
from mlxkit.gates.accepted import finder
from mlxkit.gates.context import Context
from mlxkit.gates.evaluate import Rule, evaluate
from mlxkit.gates.ledger import Place, keep_outcomes, on_record, records
from mlxkit.gates.override import Override
from mlxkit.gates.revisions import Revisions
from mlxkit.gates.subject import Revision
from mlxkit.gates.verdict import Outcome, Unjudged
from mlxkit.gates.when import occasion_of
from mlxkit.metrics.preferences import Preference
from mlxkit.pipeline.session import Session
from mlxkit.runs.choose import project_of
from mlxkit.runs.prices import prices_of
from mlxkit.settings.load import FILE
from mlxkit.tools import git

_WHOLE = ("reproducible", "approval")
"""Kinds of rules that look at the whole tree."""
_SAME = ("gates", "metrics", "cost", "verify", "attest")
"""What of `mlx.yaml` verdicts depend on."""


class Judged(NamedTuple):
    """What came out. `commit` is what the verdicts are tied to; None where `untied` says why.

    `unjudged` are the gates that there is nothing to judge of yet, and why.
    """

    outcomes: Sequence[Outcome]
    rules: Mapping[str, Sequence[Rule]]
    commit: str | None
    untied: str = ""
    unjudged: Mapping[str, MlxError] = {}

    @property
    def passed(self) -> bool:
        """Tell whether every gate was judged, and passed."""
        return not self.unjudged and all(one.passed for one in self.outcomes)


def judge(
    session: Session,
    names: Sequence[str],
    rev: str | None,
    base: str | None,
    progress: Progress = SILENT,
) -> Judged:
    """Judge a commit, or the working tree, by the gates of its own `mlx.yaml`; keeps nothing.

    Raises UsageError for an unknown gate or revision, ProjectError where there are no gates,
    MlxError where there is nothing to judge yet: see `evaluate`.
    """
    judged = judge_each(session, names, rev, base, progress)
    for error in judged.unjudged.values():
        raise error
    return judged


def judge_each(
    session: Session,
    names: Sequence[str],
    rev: str | None,
    base: str | None,
    progress: Progress = SILENT,
) -> Judged:
    """Judge as `judge` does, but go on where there is nothing to judge of one gate yet.

    Raises UsageError and ProjectError as `judge` does.
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
    context = Context(
        subject, revisions.at, preferences, base, session=session, occasion=occasion,
        accepted=finder(place, subject, revisions.at, rules), prices=prices_of(told["cost"]),
        progress=progress,
    )  # fmt: skip
    outcomes, unjudged = _evaluated(rules, context)
    commit, untied = subject.commit, ""
    if commit is None:
        untied = _untied(session.git_root, revisions, subject, told, rules, outcomes)
        commit = None if untied else revisions.commit("HEAD")
    return Judged(outcomes, rules, commit, untied, unjudged)


def _evaluated(
    rules: Mapping[str, Sequence[Rule]], context: Context
) -> tuple[list[Outcome], dict[str, MlxError]]:
    outcomes: list[Outcome] = []
    unjudged: dict[str, MlxError] = {}
    for name, each in rules.items():
        try:
            outcomes.append(evaluate(name, each, context))
        except (UsageError, ProjectError):
            raise
        except MlxError as error:
            unjudged[name] = error
    return outcomes, unjudged


def keep(session: Session, judged: Judged) -> dict[str, str]:
    """Keep the verdicts with their commit; returns the records' ids by gate.

    Raises MlxError where they cannot be kept.
    """
    return keep_outcomes(_place(session), _tied(judged), judged.outcomes, judged.rules)


def let_through(
    session: Session, judged: Judged, kept: Mapping[str, str], name: str, reason: str
) -> None:
    """Keep overrides of the gates that failed; raises UsageError, MlxError.

    MlxError also for one that was kept and does not count: it should have been signed.
    """
    place, commit = _place(session), _tied(judged)
    for one in judged.outcomes:
        if not one.passed:
            verdict = kept[one.gate]
            override.let_through(place, commit, one.gate, verdict, name=name, reason=reason)
    for each in overrides(session, judged):
        if each.doubt:
            raise MlxError(
                f"the override of gate {each.gate} is on record but does not count: {each.doubt}",
                hint="its approvals must be signed, and so must this: git config commit.gpgSign "
                "true, then repeat",
            )


def overrides(session: Session, judged: Judged) -> list[Override]:
    """Return who let these verdicts through, as far as it is on record; raises MlxError.

    One of another verdict is void, also where the new one was not kept.
    """
    if judged.commit is None or judged.passed:
        return []
    place = _place(session)
    known = records(place)
    found = []
    for one in judged.outcomes:
        rules = judged.rules[one.gate]
        if not one.passed and on_record(known, judged.commit, one, rules) is not None:
            through = override.in_force(known, judged.commit, one.gate)
            found += [override.checked(place, known, through, rules)] if through else []
    return found


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


def _untied(
    git_root: str | None,
    revisions: Revisions,
    subject: Revision,
    told: Mapping[str, Any],
    rules: Mapping[str, Sequence[Rule]],
    outcomes: Sequence[Outcome],
) -> str:
    """Say why verdicts on the working tree are no verdicts on HEAD; empty where they are."""
    if git_root is None:
        return "the project is not in a Git repository"
    return _unlike(git_root, rules) or _uncommitted(revisions, subject, told, outcomes)


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
    if any(theirs[key] != told[key] for key in _SAME):
        return f"{FILE} is not committed"
    own = set(subject.files())
    if own != set(head.files()):
        return "the pipeline's metrics files are not those of HEAD"
    evidence = {path: md5 for one in outcomes for each in one.verdicts
                for path, md5 in each.evidence.items() if ":" not in path}  # fmt: skip
    for path, md5 in evidence.items():
        try:
            same = (head.read(path).md5 if path in own else head.md5(path)) == md5
        except Unjudged as error:  # what cannot be read there may be the same that cannot be here
            same = error.evidence.get(path) == md5
        except MlxError as error:
            return f"whether HEAD has the same {path} is not known: {error}"
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

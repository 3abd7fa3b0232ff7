"""Writes an approval, of a gate that asks for one."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.audit.log import identity
from mlxkit.core.errors import MlxError, ProjectError, UsageError
from mlxkit.gates.approvals import Thing, approvals
from mlxkit.gates.approvals import approve as write
from mlxkit.gates.judge import chosen_gates
from mlxkit.gates.revisions import Revisions
from mlxkit.gates.rules.approval import count
from mlxkit.pipeline.session import Session


class Done(NamedTuple):
    """What was written; `refused` says why no rule of the gate counts it."""

    thing: Thing
    name: str
    email: str
    refused: str


def approve(session: Session, gate: str, rev: str | None, reason: str) -> Done:
    """Approve a commit, HEAD without `rev`, by Git's user.

    Raises UsageError for a gate that is not there or asks for no approval, ProjectError without
    Git, MlxError where nothing can be written.
    """
    if session.git_root is None:
        raise ProjectError("without Git nothing can be approved", hint="run: git init")
    revisions = Revisions(session)
    subject = revisions.judged(rev)
    rules = chosen_gates(revisions.settings(subject)["gates"], [gate], subject)[gate]
    asking = [rule["approval"] for rule in rules if "approval" in rule]
    if not asking:
        raise UsageError(
            f"gate '{gate}' asks for no approval",
            hint=f"write in mlx.yaml: gates: {{{gate}: [{{approval: {{from: [NAME]}}}}]}}",
        )
    thing = write(session, subject, gate, reason)
    who = identity(session.git_root)
    return Done(thing, who.name, who.email, _refused(session, session.git_root, gate, asking))


def _refused(
    session: Session, git_root: str, gate: str, asking: Sequence[Mapping[str, Any]]
) -> str:
    """Say why the newest approval counts for no rule; empty where it does for one."""
    reasons = []
    for settings in asking:
        try:
            own = approvals(session, gate, signed=settings["signed"])[-1:]
            found = count(settings, own, git_root)
        except MlxError as error:
            return str(error)
        if not found.not_counted:
            return ""
        reasons.append(f"{found.not_counted[0]}; may approve: {', '.join(settings['by'])}")
    return reasons[0]

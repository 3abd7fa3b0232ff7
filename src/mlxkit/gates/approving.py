"""Writes an approval, of a gate that asks for one."""

from typing import NamedTuple

from mlxkit.audit.log import identity
from mlxkit.core.errors import ProjectError, UsageError
from mlxkit.gates.approvals import Thing
from mlxkit.gates.approvals import approve as write
from mlxkit.gates.judge import chosen_gates
from mlxkit.gates.subject import Revisions
from mlxkit.pipeline.session import Session


class Done(NamedTuple):
    """What was written; `allowed` tells whether the gate's rule counts this person."""

    thing: Thing
    name: str
    email: str
    asked: tuple[str, ...]
    allowed: bool


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
    asked = tuple(name for rule in rules for name in rule.get("approval", {}).get("by", ()))
    if not asked:
        raise UsageError(
            f"gate '{gate}' asks for no approval",
            hint=f"write in mlx.yaml: gates: {{{gate}: [{{approval: {{from: [NAME]}}}}]}}",
        )
    thing = write(session, subject, gate, reason)
    who = identity(session.git_root)
    known = {one.casefold() for one in asked}
    allowed = bool(known & {who.name.casefold(), who.email.casefold()})
    return Done(thing, who.name, who.email, asked, allowed)

"""Approvals: events of the audit log, each of one gate, one commit and the digests of its data."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.audit import log
from mlxkit.audit.event import Event, Kind
from mlxkit.audit.signatures import Signature, check_signatures, signers
from mlxkit.audit.verify import examine
from mlxkit.core.errors import MlxError
from mlxkit.gates.context import Subject
from mlxkit.pipeline.session import Session
from mlxkit.runs.choose import project_of
from mlxkit.runs.record import canonical, digest
from mlxkit.tools import git


class Thing(NamedTuple):
    """What is approved: a commit of a project, and the digest of what its lock records."""

    commit: str
    outputs: str


class Approval(NamedTuple):
    """Who approved what; `good` is False for one without a good signature that needs one."""

    name: str
    email: str
    thing: Thing
    reason: str
    when: str
    good: bool = True


def thing_of(session: Session, subject: Subject) -> Thing:
    """Return what an approval of the subject is about; the working tree must be as committed.

    Raises MlxError.
    """
    git_root = session.git_root
    assert git_root is not None
    commit = subject.commit
    if commit is None:
        commit = git.commit_id(git_root, "HEAD")
        changed = git.changed(git_root)
        if commit is None or changed:
            some = ", ".join(changed[:3]) + (", ..." if changed[3:] else "")
            what = f"what is not committed cannot be approved{': ' + some if some else ''}"
            raise MlxError(what, hint="commit, or name a commit: --rev REV")
    return Thing(commit, digest(canonical(dict(subject.digests()))))


def approve(session: Session, subject: Subject, gate: str, reason: str) -> Thing:
    """Write that Git's user approves; an event of the audit log, signed where Git signs.

    Raises MlxError.
    """
    thing = thing_of(session, subject)
    assert session.git_root is not None
    what = {
        "gate": gate, **thing._asdict(), "project": project_of(session.root, session.git_root),
        "reason": reason.strip(),
    }  # fmt: skip
    log.append(session.git_root, Kind.APPROVED, what)
    return thing


def approvals(session: Session, gate: str, *, signed: bool) -> list[Approval]:
    """Return all approvals of a gate, oldest first; raises MlxError for a log that is not whole."""
    git_root = session.git_root
    assert git_root is not None
    project = project_of(session.root, git_root)

    def ours(event: Event) -> bool:
        told = event.what
        return event.kind == Kind.APPROVED and (told.get("gate"), told.get("project")) == (
            gate,
            project,
        )

    found = log.entries(git_root, ours, 0)[::-1]
    if not found:
        return []
    problems = examine(git_root).problems
    if problems:
        raise MlxError(f"the audit log is not whole: {problems[0].why}", hint="mlx audit verify")
    good = well_signed(git_root, found) if signed else {one.commit for one in found}
    return [_approval(one.event, one.commit in good) for one in found]


def authors_of(git_root: str, commit: str) -> tuple[str, ...]:
    """Return names and addresses of a commit's author and committer, as they are and by mailmap.

    The mailmap comes with the commit: it must not make another of its author.
    """
    wanted = "%n".join(f"%{who}{what}" for who in "ac" for what in "nNeE")
    told = git.run(git_root, "log", "-1", "--no-show-signature", f"--format={wanted}", commit)
    return tuple(dict.fromkeys(line for line in os.fsdecode(told).splitlines() if line))


def _approval(event: Event, good: bool) -> Approval:
    what: Mapping[str, Any] = event.what
    thing = Thing(str(what.get("commit")), str(what.get("outputs")))
    reason = str(what.get("reason", ""))
    return Approval(event.who.name, event.who.email, thing, reason, event.when, good)


def well_signed(git_root: str, found: Sequence[log.Entry]) -> set[str]:
    """Return the commits of the events that are signed, and by whom they name; raises MlxError."""
    commits = [one.commit for one in found]
    signatures, named = check_signatures(git_root, commits), signers(git_root, commits)
    return {
        one.commit
        for one in found
        if signatures.get(one.commit) is Signature.GOOD
        and is_signer(one.event.who.email, named.get(one.commit, ""))
    }


def is_signer(email: str, named: str) -> bool:
    """Tell whether an address is among those by which Git names a signer, in whole."""
    return bool(email) and email.casefold() in re.split(r"[\s,<>\"]+", named.casefold())

"""A version put into a stage: through the deployment gate, and back out of it by a rollback."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mlxkit.audit import log
from mlxkit.audit.event import Kind
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.pipeline.session import Session
from mlxkit.registry.gate import Gated, pass_gate
from mlxkit.registry.recorded import require_own
from mlxkit.registry.tag import alone, make, next_counter, remote_for
from mlxkit.registry.transaction import require_git, settle
from mlxkit.runs.choose import project_of
from mlxkit.versions import trailer
from mlxkit.versions.find import Chosen, Registry, choose, find_model, read_registry
from mlxkit.versions.grammar import assignment, check_stage
from mlxkit.versions.state import Assigned, Model


class Request(NamedTuple):
    """What is to be promoted; `text` is the user's own message."""

    what: str
    stage: str
    reason: str = ""
    name: str = ""
    override: bool = False
    no_gate: bool = False
    text: str = ""
    push: str | None = None
    """A remote, "" the branch's own; None: nowhere."""


class Done(NamedTuple):
    """What was done: a stage has a version, or (`tag` None) the gate said no."""

    model: str
    version: str
    stage: str
    commit: str
    before: str | None
    tag: str | None = None
    gated: Gated | None = None
    pushed: str | None = None
    reason: str = ""


def promote(session: Session, asked: Request) -> Done:
    """Put a version into a stage if its deployment gate passes, is let through, or is left out.

    Raises UsageError, ProjectError where there is no gate, MlxError where data are missing or
    nothing could be written; then nothing was done, but what the gate said may be on record.
    """
    git_root = require_git(session)
    check_stage(asked.stage)
    if not asked.no_gate and not asked.override and (asked.reason or asked.name):
        raise UsageError("--reason and --name go with --override or --no-gate")
    if asked.no_gate and asked.override:
        raise UsageError(
            "--no-gate and --override: give one of them",
            hint="--override lets a gate that failed through, --no-gate is where there is none",
        )
    if asked.no_gate and not asked.reason.strip():
        raise UsageError("--no-gate needs a reason", hint="give one: --reason 'TEXT'")
    folder = project_of(session.root, git_root)
    chosen = choose(read_registry(git_root), asked.what, folder, latest=False)
    if chosen.version is None:
        raise UsageError(f"{chosen.shown} is no registered version",
                         hint=f"see: mlx model show {chosen.model.name}")  # fmt: skip
    require_own(session, chosen, ("promote", chosen.shown, "--to", asked.stage))
    _refuse_again(chosen.model, asked.stage, chosen.commit, chosen.shown)
    remote = remote_for(git_root, asked.push) if asked.push is not None else None
    gated = pass_gate(
        session, chosen.commit,
        leave_out=asked.no_gate, override=asked.override, name=asked.name, reason=asked.reason,
    )  # fmt: skip
    before = chosen.model.stages.get(asked.stage)
    done = Done(
        chosen.model.name, chosen.version.name, asked.stage, chosen.commit,
        before.shown if before else None, gated=gated, pushed=remote.name if remote else None,
        reason=asked.reason,
    )  # fmt: skip
    if not gated.may_pass:
        return done
    told = {"gate": gated.told()}
    tag = _assign(session, done, Kind.PROMOTED, told, asked.text, remote)
    return done._replace(tag=tag)


def rollback(
    session: Session, name: str, stage: str, *, to: str, reason: str, push: str | None
) -> Done:
    """Put the version into a stage that was in it before; raises UsageError, MlxError.

    Which one that is, unless `to` says so: see `previous`. No gate is asked: it has been there.
    """
    git_root = require_git(session)
    if not reason.strip():
        raise UsageError("a rollback needs a reason", hint="give one: --reason 'TEXT'")
    folder = project_of(session.root, git_root)
    registry = read_registry(git_root)
    model = find_model(registry, name, folder)
    current = choose(registry, f"{model.name}#{stage}").assigned
    assert current is not None
    target = _target(registry, model, current, to)
    require_own(session, target, ("rollback", model.name, stage, "--reason", reason))
    assert target.version is not None
    remote = remote_for(git_root, push) if push is not None else None
    done = Done(
        model.name, target.version.name, stage, target.commit, current.shown,
        pushed=remote.name if remote else None, reason=reason.strip(),
    )  # fmt: skip
    told = {"from": current.shown, "reason": reason.strip()}
    return done._replace(tag=_assign(session, done, Kind.ROLLED_BACK, told, "", remote))


def previous(model: Model, current: Assigned) -> str | None:
    """Return the commit to roll back to: the one assigned last that is another and still good.

    A version that was rolled back from is not good, until it is promoted again; one that was
    taken back, or that was never registered, is none.
    """
    bad: set[str] = set()
    was: list[str] = []
    for event in model.events:
        if event.meaning.stage != current.stage or event.meaning.action != "assign":
            continue
        if event.told.get("kind") == str(Kind.ROLLED_BACK) and was:
            bad.add(was[-1])
        bad.discard(event.commit)
        was.append(event.commit)
    for commit in reversed(was):
        if commit != current.commit and commit not in bad and model.at(commit) is not None:
            return commit
    return None


def _target(registry: Registry, model: Model, current: Assigned, to: str) -> Chosen:
    if to:
        chosen = choose(registry, f"{model.name}@{to}")
        if chosen.commit == current.commit:
            raise UsageError(
                f"{chosen.shown} is in '{current.stage}' already",
                hint=f"see: mlx model history {model.name}",
            )
        been = any(
            event.meaning.stage == current.stage and event.commit == chosen.commit
            for event in model.events
        )
        if not been:
            raise UsageError(
                f"{chosen.shown} was never in '{current.stage}': that would be no rollback",
                hint=f"mlx model promote {chosen.shown} --to {current.stage}",
            )
        return chosen
    commit = previous(model, current)
    version = model.at(commit) if commit else None
    if commit is None or version is None:
        raise MlxError(
            f"there is nothing before {model.name}@{current.shown} in '{current.stage}' to go to",
            hint=f"see: mlx model history {model.name}   or name it: --to VERSION",
        )
    return choose(registry, f"{model.name}@{version.name}")


def _refuse_again(model: Model, stage: str, commit: str, shown: str) -> None:
    found = model.stages.get(stage)
    if found is not None and found.commit == commit:
        raise UsageError(
            f"{shown} is in '{stage}' already, by the tag {found.event.tag}",
            hint=f"see: mlx model history {model.name}",
        )


def _assign(
    session: Session,
    done: Done,
    kind: Kind,
    told: Mapping[str, Any],
    text: str,
    remote: Any,
) -> str:
    """Write the tag with the next free number, and the event; raises MlxError."""
    git_root = require_git(session)
    verb = "Promote" if kind is Kind.PROMOTED else "Roll back"
    subject = f"{verb} {done.model} {done.version} to {done.stage}"
    if kind is Kind.ROLLED_BACK:
        subject = f"Roll {done.stage} of {done.model} back to {done.version}"
        text = done.reason
    document = {"kind": str(kind), "version": done.version, "stage": done.stage, **told}
    with alone(git_root):
        model = read_registry(git_root).models[done.model]
        _refuse_moved(model, done)
        name = assignment(done.model, done.stage, next_counter(git_root, done.model))
        tag = make(git_root, name, done.commit, trailer.message(subject, text, document), model)
        what = {
            "model": done.model, "version": done.version, "stage": done.stage,
            "before": done.before, "commit": done.commit, "tag": tag.name, "object": tag.id,
            "project": project_of(session.root, git_root), "by": log.identity(git_root).name,
            **told,
        }  # fmt: skip
        settle(git_root, tag, kind, what, remote)
    return tag.name


def _refuse_moved(model: Model, done: Done) -> None:
    """Refuse where another process changed the stage, or the version, in the meantime."""
    now = model.stages.get(done.stage)
    if (now.shown if now else None) != done.before:
        is_now = f"{now.shown} now" if now else "empty now"
        raise MlxError(
            f"'{done.stage}' of '{done.model}' was changed meanwhile: it is {is_now}",
            hint=f"see: mlx model history {done.model}   and repeat",
        )
    if model.at(done.commit) is None:
        raise MlxError(f"{done.model}@{done.version} was taken back meanwhile")

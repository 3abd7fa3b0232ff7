"""Bringing an experiment into the working tree: everything is looked at before anything changes."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.core.files import scratch_folder
from mlxkit.data.history.revision import Recorded, Revisions
from mlxkit.experiments import files
from mlxkit.experiments.refs import APPLIED, Experiment
from mlxkit.pipeline.session import RunSession
from mlxkit.store.compare import Wish, compare
from mlxkit.store.errors import BadObject, MissingObject
from mlxkit.tools import git

REPLACED = "refs/mlx/replaced"
"""The working tree that was last replaced by force."""
_SHOWN = 10
_LARGEST = 1 << 20


class Prepared(NamedTuple):
    """What is to be done to the tracked files; `missing` are outputs that the cache lacks."""

    plan: files.Plan
    missing: tuple[str, ...]
    lost: tuple[str, ...]


def prepare(session: RunSession, experiment: Experiment) -> Prepared:
    """Look what it takes to apply an experiment; raises MlxError."""
    assert session.git_root is not None
    plan = files.plan_files(session.git_root, experiment.commit)
    gone = {os.path.join(session.git_root, path) for path in (*plan.remove, *plan.write)}
    missing, lost = [], []
    for path, one in Revisions(session).recorded(experiment.commit).items():
        lacking, would_lose = _look(session, os.path.join(session.root, path), one)
        missing += [path] if lacking else []
        lost += [other for other in would_lose if other not in gone]
    return Prepared(plan, tuple(missing), tuple(lost))


def check(
    session: RunSession,
    experiment: Experiment,
    prepared: Prepared,
    *,
    force: bool,
    allow_missing: bool,
) -> None:
    """Raise MlxError where data are missing, or where something would be lost."""
    assert session.git_root is not None
    if prepared.missing and not allow_missing:
        raise MlxError(
            f"the cache lacks data of experiment '{experiment.name}': {_named(prepared.missing)}",
            hint=f"fetch them: mlx exp pull GIT_REMOTE {experiment.name}   "
            "or take the other files: --allow-missing",
        )
    files.refuse_losses(prepared.plan, session.git_root, force=force)
    if prepared.lost and not force:
        raise files.WouldLose(
            "this would destroy data that is recorded nowhere: "
            + _named([os.path.relpath(path) for path in prepared.lost]),
            hint="record it (mlx commit), move it away, or give --force",
        )


def apply(session: RunSession, experiment: Experiment, prepared: Prepared) -> str | None:
    """Make the tracked files those of the experiment; data is checked out afterwards.

    Return the commit that keeps files which were replaced by force. Raises MlxError, OSError.
    """
    assert session.git_root is not None
    kept = _keep(session, session.git_root) if prepared.plan.lost else None
    files.apply_files(session.git_root, prepared.plan)
    git.run(session.git_root, "update-ref", "--no-deref", APPLIED, experiment.commit)
    return kept


def _look(session: RunSession, path: str, one: Recorded) -> tuple[bool, Sequence[str]]:
    """Tell whether data is missing for a path, and which files there would be lost."""
    if one.md5 is None or one.legacy or one.entries is not None:
        return False, ()  # nothing yet, or DVC's own to check out
    store = session.workspace.store
    try:
        plan = compare(Wish(one.md5, path), store, session.workspace.ignore)
    except (MissingObject, BadObject):
        return True, ()
    if plan is None:
        return False, ()
    return not all(store.has(md5) for _, md5 in plan.make), plan.lost


def _keep(session: RunSession, git_root: str) -> str:
    from mlxkit.runs.repository import identify
    from mlxkit.runs.snapshot import take_snapshot

    def unknown(path: str, read: bool) -> str | None:
        return None

    with scratch_folder("mlx-replaced-") as scratch:
        made = take_snapshot(git_root, scratch, _LARGEST, identify(git_root), unknown)
    git.run(git_root, "update-ref", REPLACED, made.id)
    return made.id


def _named(paths: Sequence[str]) -> str:
    more = f", and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more

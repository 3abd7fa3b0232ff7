"""Gathers all that a report says, once; nothing is drawn here."""

import os
from collections.abc import Sequence

from mlxkit.comparison.state import State, Trouble
from mlxkit.comparison.states import NO_PROJECT, States
from mlxkit.core.errors import MlxError, ProjectError
from mlxkit.core.words import counted
from mlxkit.data.history.revision import Revisions
from mlxkit.gates.judge import Judged
from mlxkit.pipeline.session import Session
from mlxkit.reports.changes import Costs, Data, End, Lineage, Report, Rules, StageChange
from mlxkit.reports.data import data_changes
from mlxkit.reports.gates import gates_of, judge_gates, read_rule_changes, read_settings
from mlxkit.reports.headline import headline
from mlxkit.reports.lineage import choose, lineage_of
from mlxkit.reports.locks import Entries, entries_at, entries_now
from mlxkit.reports.revisions import base_of, head_of
from mlxkit.reports.slices import slice_files, slice_tables
from mlxkit.reports.stages import Runs, outdated, stage_changes, stage_costs
from mlxkit.reports.values import (
    leading_metrics,
    metric_values,
    metrics_of,
    param_values,
    params_of,
)
from mlxkit.runs.choose import project_of, project_records
from mlxkit.runs.models import declared_models
from mlxkit.runs.prices import load_prices

_NAMED = 5


def collect(
    session: Session,
    *,
    rev: str | None = None,
    base: str | None = None,
    gates: Sequence[str] = (),
    judged: Judged | None = None,
) -> Report:
    """Return what changed from `base` to `rev`, and what the gates say.

    Without `rev` it is HEAD, or the working tree where it differs; without `base`, see `base_of`.
    `judged` are verdicts with the same `rev` and `base`: then nothing is judged again. Raises
    UsageError for an unknown revision or gate, ProjectError without Git or for an invalid file,
    MlxError.
    """
    if session.git_root is None:
        raise ProjectError("without Git there are no revisions", hint="run: git init")
    folder = project_of(session.root, session.git_root)
    head = head_of(session.git_root, rev, folder)
    before, note = base_of(session.git_root, base, head, folder, follows=rev is None)
    notes = [note] if note else []
    said = read_settings(session, head)
    told = gates_of(session, judged) if judged else judge_gates(session, said, gates, rev, base)
    old, new = _states(session, before, head)
    if isinstance(old, Trouble):
        notes.append(_trouble("the base", old))
    if isinstance(new, Trouble):
        notes.append(_trouble("the revision", new))
    names = (before.name if before is not None else "", head.name)
    paths = [*(metrics_of(new) or {})] if isinstance(new, State) else []
    files = slice_files(said.rules, paths)
    leading = leading_metrics(said.rules, said.leading)
    compared = before is not None and not isinstance(old, Trouble)
    if compared and before is not None:
        told = told._replace(changes=read_rule_changes(session, before, said, notes))
    known_old = metrics_of(old) if compared else None
    metrics = metric_values(known_old, metrics_of(new), names, said.preferences, leading, files)
    slices = slice_tables(known_old, metrics_of(new), files, said.preferences)
    params = param_values(params_of(old) if compared else params_of(new), params_of(new), names)
    data = data_changes(session, before, head) if compared and before is not None else Data()
    stages, costs = _stages(session, before if compared else None, head, notes)
    made = [out for one in stages for out in one.outs]
    lineage = _lineage(session, head, said.rules, leading, made, notes)
    line = headline(told, metrics, slices, params, data, stages, compared=compared)
    return Report(
        project=os.path.basename(session.root), base=before, head=head, headline=line,
        gates=told, metrics=metrics, slices=slices, params=params, data=data, stages=stages,
        costs=costs, lineage=lineage, notes=notes,
    )  # fmt: skip


def _states(
    session: Session, base: End | None, head: End
) -> tuple[State | Trouble | None, State | Trouble]:
    states = States(session)
    commits = [one.commit for one in (base, head) if one is not None and one.commit is not None]
    found = states.at(commits)
    old = found[base.commit] if base is not None and base.commit is not None else None
    return old, found[head.commit] if head.commit is not None else states.workspace()


def _trouble(who: str, trouble: Trouble) -> str:
    if trouble.type == NO_PROJECT:
        return f"{who} is from before the project: there is nothing to compare with"
    return f"{who} could not be read: {trouble.msg}"


def _stages(
    session: Session, base: End | None, head: End, notes: list[str]
) -> tuple[list[StageChange], Costs]:
    """Return what ran, and what it cost; a lock that does not fit together is worth a note."""
    assert session.git_root is not None
    revisions = Revisions(session)
    try:
        now = head.commit is None
        new: Entries = entries_now(session) if now else entries_at(revisions, head.commit or "")
        late = outdated(new)
        if late:
            some = ", ".join(late[:_NAMED]) + (", ..." if len(late) > _NAMED else "")
            notes.append(
                f"{counted(len(late), 'stage')} read something else than what is recorded now "
                f"({some}), so metrics may be of an earlier state: mlx repro"
            )
        if base is None or base.commit is None:
            return [], Costs()
        old: Entries = entries_at(revisions, base.commit)
    except MlxError as error:
        notes.append(f"which stages ran is not known: {error}")
        return [], Costs()
    runs = Runs(project_records(session.root, session.git_root))
    changes = stage_changes(old, new, runs)
    return changes, stage_costs(old, new, runs, load_prices(session.root))


def _lineage(
    session: Session,
    head: End,
    rules: Rules,
    leading: Sequence[str],
    changed: Sequence[str],
    notes: list[str],
) -> Lineage | None:
    assert session.git_root is not None
    try:
        declared = [os.path.relpath(one, session.root) for one in declared_models(session.declared)]
        paths = choose(rules, declared, leading, changed)
        return lineage_of(session.root, session.git_root, head, paths)
    except MlxError as error:
        notes.append(f"the lineage is not known: {error}")
        return None

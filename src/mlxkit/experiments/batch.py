"""A sweep from its plan to its results: what is there already is not run again."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mlxkit.experiments.plan import Known, known_experiments
from mlxkit.experiments.run import Work
from mlxkit.experiments.sweepdir import DONE, SKIPPED, STOPPED, Outcome, Plan, Run, SweepDir
from mlxkit.experiments.workers import Watcher, Workers


class Batch(NamedTuple):
    """What came of a sweep; `stopped` where a signal ended it before its time."""

    outcomes: list[tuple[Run, Outcome]]
    stopped: bool


def run_batch(
    work: Work,
    files: Mapping[str, bytes],
    watcher: Watcher,
    *,
    jobs: int,
    wait: float,
    going_on: bool = False,
) -> Batch:
    """Make all experiments of a plan that are not there; several at once.

    With `going_on` those that `--force` has made again already stay. Raises BusyError, OSError.
    """
    folder, plan = work.folder, work.plan
    with folder.working(wait):
        if not going_on:
            folder.write(plan, files)
        work = work._replace(there=_there_now(work))
        known = _there(folder, plan, work.there, going_on)
        left = [run for run in plan.runs if run.name not in known]
        for run in plan.runs:
            if run.name in known:
                watcher.ended(run, known[run.name])
            else:
                folder.forget(run)
        whole = Workers(work, jobs, watcher).run(left) if left else True
        found = [(run, known.get(run.name) or folder.outcome(run)) for run in plan.runs]
    return Batch([(run, one or Outcome(STOPPED)) for run, one in found], not whole)


def _there_now(work: Work) -> dict[str, Known]:
    """Add what another sweep, waited for, has made: of what is not the same nothing is known."""
    now = known_experiments(work.git_root, work.plan.baseline)
    wanted = {run.name: run.inputs for run in work.plan.runs}
    same = {name: one for name, one in now.items() if wanted.get(name) == one.inputs}
    return {**work.there, **same}


def missing(plan: Plan, there: Mapping[str, Known]) -> Sequence[Run]:
    """Return the runs of a plan that have no result yet."""
    return [run for run in plan.runs if not _is_there(run, there)]


def _there(
    folder: SweepDir, plan: Plan, there: Mapping[str, Known], going_on: bool
) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    for run in plan.runs:
        if not _is_there(run, there):
            continue
        commit = there[run.name].commit
        if plan.how.get("force"):
            before = folder.outcome(run) if going_on else None
            if before is None or before.outcome != DONE or before.commit != commit:
                continue
        found[run.name] = Outcome(SKIPPED, commit=commit)
    return found


def _is_there(run: Run, there: Mapping[str, Known]) -> bool:
    known = there.get(run.name)
    return known is not None and known.inputs == run.inputs

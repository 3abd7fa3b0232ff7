"""From what `mlx exp run` was asked for to experiments that are made, shown while they run."""

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from mlxkit.cli import terminal
from mlxkit.cli.exp_run_end import Metrics
from mlxkit.cli.exp_run_show import Lines, Silent, View

if TYPE_CHECKING:
    from mlxkit.experiments.batch import Batch
    from mlxkit.experiments.best import Best
    from mlxkit.experiments.plan import Asked, Base, Known
    from mlxkit.experiments.run import Work
    from mlxkit.experiments.sweepdir import Plan, SweepDir
    from mlxkit.pipeline.session import Session


class Maker:
    """Makes experiments of a project, so many at once; all goes start from the same files."""

    def __init__(self, session: "Session", jobs: int, wait: float) -> None:
        self._session = session
        self._jobs = jobs
        self._wait = wait
        self._base: Base | None = None

    def at_work(self) -> AbstractContextManager[None]:
        """Keep out who deletes data; raises BusyError."""
        from mlxkit.experiments.atwork import making

        return making(self._session.root, self._wait, terminal.note)

    def __call__(self, asked: "Asked", view: View) -> tuple["Plan", "Batch"]:
        """Make what is asked for; raises UsageError, MlxError."""
        work, files = self.prepared(asked)
        return work.plan, self.made(work, files, view)

    def prepared(self, asked: "Asked", *, dry: bool = False) -> tuple["Work", dict[str, bytes]]:
        """Return the work to do and the files of its plan; raises UsageError, MlxError."""
        from mlxkit.experiments.inputs import submodules
        from mlxkit.experiments.plan import make_plan
        from mlxkit.experiments.sweepdir import sweep_dir

        first = self._base is None
        if first and not dry:
            self._clear()
        plan, files, there, self._base = make_plan(self._session, asked, self._base)
        left = submodules(self._session.git_root or "") if first else []
        empty = [one for one in left if one not in plan.copies]
        if empty:
            shown = ", ".join(terminal.printable(one) for one in empty)
            terminal.note(f"warning: runs have no files of submodules: {shown} (see --copy-paths)")
        return self._work(plan, sweep_dir(self._session.root, plan.id), there), files

    def going_on(self) -> tuple["Work", dict[str, bytes]]:
        """Return the work that the last sweep left; raises UsageError where there is none."""
        from mlxkit.experiments.plan import known_experiments
        from mlxkit.experiments.sweepdir import last_sweep

        self._clear()
        folder, plan = last_sweep(self._session.root)
        there = known_experiments(self._session.git_root or "", plan.baseline)
        return self._work(plan, folder, there), {}

    def made(
        self, work: "Work", files: dict[str, bytes], view: View, *, going_on: bool = False
    ) -> "Batch":
        """Make experiments; raises BusyError, OSError."""
        from mlxkit.experiments.batch import run_batch
        from mlxkit.experiments.warm import warm_up

        warm_up(work.root)
        sys.stdout.flush()
        view.planned(work.plan, self._jobs)
        try:
            return run_batch(work, files, view, jobs=self._jobs, wait=self._wait, going_on=going_on)
        finally:
            view.close()

    def _clear(self) -> None:
        from mlxkit.experiments.sweepdir import clear_killed

        if self._session.git_root is not None:
            clear_killed(self._session.root, self._session.git_root)

    def _work(self, plan: "Plan", folder: "SweepDir", there: dict[str, "Known"]) -> "Work":
        from mlxkit.experiments.run import Work
        from mlxkit.pipeline.machine import find_machine
        from mlxkit.project import cache_folder, open_for_run
        from mlxkit.runs.code import code_folders

        session = self._session
        assert session.git_root is not None
        at_once = min(self._jobs, len(plan.runs))
        machine = find_machine(1 if at_once > 1 else 0)
        cache = cache_folder(session)
        code = code_folders(session.git_root, session.declared.stages)
        return Work(session.git_root, plan, folder, cache, machine, open_for_run, there, code)


def choose_view(session: "Session", *, as_json: bool, quiet: bool, verbose: bool) -> View:
    """Return who shows the experiments while they run."""
    if as_json or quiet:
        return Silent()
    if terminal.is_live(sys.stderr) and terminal.is_live(sys.stdout) and not verbose:
        from mlxkit.cli.exp_run_live import live_view

        return live_view(session, _ranked(session)[0])
    return Lines(verbose=verbose)


def read_metrics(session: "Session", batch: "Batch") -> Metrics:
    """Return the metrics of each result, by commit."""
    from mlxkit.comparison.state import State
    from mlxkit.comparison.states import States

    commits = [one.commit for _, one in batch.outcomes if one.commit]
    if not commits:
        return {}
    states = States(session).at(commits).items()
    return {commit: state.metrics for commit, state in states if isinstance(state, State)}


def best_of(session: "Session", batch: "Batch", metrics: Metrics) -> "Best | None":
    """Return the best of several results, where it is clear by which metric."""
    from mlxkit.experiments.best import choose_metric, find_best
    from mlxkit.metrics.preferences import load_preferences

    results = {
        run.name: metrics[one.commit] for run, one in batch.outcomes if one.commit in metrics
    }
    if len(results) < 2:
        return None
    known = load_preferences(session.root)
    ranked, files = _ranked(session)
    metric = choose_metric(results.values(), known, ranked, files)
    return find_best(results, metric, known) if metric else None


def _ranked(session: "Session") -> tuple[str, list[str]]:
    """Return the metric that the project's leaderboard is ranked by, and its models' files."""
    from mlxkit.settings.load import section

    told: Mapping[str, str | dict[str, str]] = section(session.root, "leaderboard") or {}
    models = told.get("models") or {}
    files = list(models.values()) if isinstance(models, dict) else []
    return str(told.get("metric") or ""), files

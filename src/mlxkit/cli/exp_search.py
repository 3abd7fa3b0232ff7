"""`mlx exp run --search`: experiments a few at a time, each chosen by the results before it."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from mlxkit.cli import terminal
from mlxkit.cli.exp_run_end import outcome_document, show_failure
from mlxkit.cli.exp_run_show import View
from mlxkit.cli.exp_search_show import Search as SearchView
from mlxkit.cli.exp_search_show import search_view
from mlxkit.comparison.state import FileValues, State
from mlxkit.comparison.states import States
from mlxkit.core.errors import ExitCode, UsageError
from mlxkit.experiments.batch import Batch
from mlxkit.experiments.objective import Missing, direction, require_unambiguous
from mlxkit.experiments.overrides import choose_texts
from mlxkit.experiments.plan import Asked
from mlxkit.experiments.search import Asking, Search, require_optuna
from mlxkit.experiments.space import parse_space
from mlxkit.experiments.sweepdir import STOPPED, Outcome, Plan, Run
from mlxkit.metrics.preferences import load_preferences
from mlxkit.pipeline.session import Session
from mlxkit.tools import dvc_overrides

Settings = tuple[str, ...]


class Goal(NamedTuple):
    """What to search for: the best `metric` in `count` runs."""

    runs: int
    metric: str
    seed: int


class Make(Protocol):
    """Makes experiments, all from where the first ones started."""

    def __call__(self, asked: Asked, view: View) -> tuple[Plan, Batch]: ...


def run_search(
    session: Session,
    asked: Asked,
    goal: Goal,
    make: Make,
    view: View,
    *,
    jobs: int,
    as_json: bool,
    quiet: bool,
) -> int:
    """Search, and show the best; raises UsageError, MlxError.

    Asked again the same search asks for the same runs, and finds those that are there.
    """
    search = _search(session, asked, goal)
    finding = _Finding(session, asked, Asking(search, goal.metric, goal.runs))
    shown = search_view(view, finding.tell, goal.metric)
    best = "highest" if search.better == "higher" else "lowest"
    if not as_json and not quiet:
        count = terminal.counted(goal.runs, "experiment")
        terminal.note(f"search for the {best} {goal.metric} in {count}, seed {goal.seed}")
    began = time.monotonic()
    while not finding.stopped and (batch := finding.next(min(jobs, goal.runs))):
        sweeps = [";".join(settings) for settings in batch]
        shown.to_go = finding.to_go(goal.runs)
        plan, made = make(asked._replace(sweeps=sweeps), shown)
        finding.take(plan, made, shown)
    if as_json:
        terminal.write_json(_document(finding, goal, search))
    else:
        _summary(finding, goal, time.monotonic() - began, quiet=quiet)
    if finding.stopped:
        return ExitCode.INTERRUPTED
    return ExitCode.OK if _is_good(finding) else ExitCode.FAILED


def _search(session: Session, asked: Asked, goal: Goal) -> Search:
    if not goal.metric:
        raise UsageError("--search needs to know what is good", hint="name a metric: --metric NAME")
    if len(asked.sweeps) != 1:
        raise UsageError(
            "--search searches over one --sweep",
            hint="give one, with ';' between keys: --sweep 'KEY=0.001..0.1 log;OTHER=1..8'",
        )
    if asked.name:
        raise UsageError("--name is for one experiment", hint="leave it away with --search")
    space = parse_space(asked.sweeps[0])
    better = direction(goal.metric, load_preferences(session.root))
    require_unambiguous(States(session).workspace().metrics, goal.metric)
    if len(choose_texts(asked.settings, (), None)) != 1:
        raise UsageError(
            "with --search, -S gives one value to a key",
            hint="search over several of them: put them into --sweep",
        )
    require_optuna()
    return Search(space, better, goal.seed)


class _Finding:
    """What was found so far, and what is being asked."""

    def __init__(self, session: Session, asked: Asked, asking: Asking) -> None:
        self.asking = asking
        self.plan: Plan | None = None
        self.stopped = False
        self.runs: dict[str, tuple[Run, Outcome]] = {}
        self.found: dict[str, float | Missing | None] = {}
        self.metrics: dict[str, Mapping[str, FileValues]] = {}
        self._session = session
        self._asked = asked
        self._batch: list[Settings] = []

    def next(self, count: int) -> list[Settings]:
        """Ask for the runs that can be made at once."""
        self._batch = []
        while len(self._batch) < count and (settings := self.asking.next()) is not None:
            self._batch.append(settings)
        return self._batch

    def to_go(self, count: int) -> int:
        """Return how many runs of the whole search have not ended."""
        return count - len(self.found)

    def tell(self, plan: Plan, run: Run, outcome: Outcome) -> str:
        """Take the end of a run; return its metric, or why there is none, in a few words."""
        if outcome.outcome == STOPPED:
            return ""
        metrics = self._read(outcome.commit) if outcome.commit else None
        found: float | Missing | None = None
        for settings in self._settings(plan, run):
            found = self.asking.tell(settings, metrics)
        self.found[run.name] = found
        return found.why if isinstance(found, Missing) else "" if found is None else f"{found:.5g}"

    def take(self, plan: Plan, batch: Batch, shown: SearchView) -> None:
        """Take all that came of the runs asked for last, those that were there before, too."""
        self.plan = plan
        self.stopped = batch.stopped
        for run, outcome in batch.outcomes:
            if run.name not in shown.seen and outcome.outcome != STOPPED:
                shown.ended(run, outcome)
            self.runs[run.name] = run, outcome

    def _read(self, commit: str) -> Mapping[str, FileValues]:
        state = States(self._session).at([commit])[commit]
        metrics = state.metrics if isinstance(state, State) else {}
        self.metrics[commit] = metrics
        return metrics

    def _settings(self, plan: Plan, run: Run) -> list[Settings]:
        """Return what a run was asked for with; of two that mean the same, both."""
        if len(plan.runs) == len(self._batch):
            return [self._batch[plan.runs.index(run)]]
        return [one for one in self._batch if _values(self._asked, one) == run.values]


def _values(asked: Asked, settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    (texts,) = choose_texts(asked.settings, [";".join(settings)], None)
    return {
        file: {one.key: one.value for one in dvc_overrides.parse(changes)}
        for file, changes in texts.items()
    }


def _best(finding: _Finding) -> tuple[str, float] | None:
    best = finding.asking.best()
    if best is None:
        return None
    name = next(name for name, found in finding.found.items() if found == best[1])
    return name, best[1]


def _is_good(finding: _Finding) -> bool:
    failed = any(one.outcome == "failed" for _, one in finding.runs.values())
    return not failed and finding.asking.best() is not None


def _document(finding: _Finding, goal: Goal, search: Search) -> dict[str, Any]:
    assert finding.plan is not None
    batch = Batch(list(finding.runs.values()), finding.stopped)
    ok = not finding.stopped and _is_good(finding)
    document = outcome_document(finding.plan, batch, finding.metrics, ok)
    del document["sweep"]
    for one in document["experiments"]:
        found = finding.found.get(one["name"])
        one["value"] = found if isinstance(found, float) else None
        one["why"] = found.why if isinstance(found, Missing) else None
    best = _best(finding)
    document["search"] = {
        "metric": goal.metric,
        "better": search.better,
        "seed": goal.seed,
        "best": best[0] if best is not None else None,
    }
    return document


def _summary(finding: _Finding, goal: Goal, seconds: float, *, quiet: bool) -> None:
    for run, one in finding.runs.values():
        if one.outcome == "failed":
            show_failure(run, one)
    best = _best(finding)
    if best is not None:
        terminal.write(f"best {goal.metric}: {best[1]:.5g}, {best[0]}")
    elif not finding.stopped:
        terminal.note(f"no run has the metric {goal.metric}")
    if quiet:
        return
    count = terminal.counted(len(finding.found), "experiment")
    terminal.write(f"{count} in {terminal.duration(seconds)}")
    if finding.stopped:
        terminal.note("interrupted; to go on, give the same command again")
    elif best is not None:
        terminal.note(f"to take it: mlx exp apply {best[0]}")

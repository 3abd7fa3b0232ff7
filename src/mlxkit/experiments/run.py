"""One run in a place of its own, from its parameters to the experiment; a process of its own."""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from mlxkit.core.errors import MlxError
from mlxkit.core.interrupts import uninterrupted
from mlxkit.experiments import place
from mlxkit.experiments.keep import keep, left_tree
from mlxkit.experiments.plan import Known
from mlxkit.experiments.stages import choose_stages
from mlxkit.experiments.sweepdir import DONE, FAILED, STOPPED, Outcome, Plan, Run, SweepDir
from mlxkit.pipeline.execute import Executor, Interrupted
from mlxkit.pipeline.options import Options
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.result import FAILED as STAGE_FAILED
from mlxkit.pipeline.result import RAN, RESTORED, Result
from mlxkit.pipeline.schedule import Machine
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Stage
from mlxkit.runs.experiment import MARK, NAME

Tell = Callable[[dict[str, Any]], None]
"""Tells the one who started the run what happens."""
_WAIT = 10.0


class Opened(Protocol):
    """How a project is opened to run; handed in by who may know of it."""

    def __call__(
        self, start: str, wait: float, say: Callable[[str], None], *, apart: bool
    ) -> AbstractContextManager[RunSession]: ...


class Work(NamedTuple):
    """What all runs of a sweep need."""

    git_root: str
    plan: Plan
    folder: SweepDir
    cache_dir: str
    machine: Machine
    opened: Opened
    there: dict[str, Known]
    code: Sequence[str] = ()
    """Folders that Python imports the project's code from, by path from the repository's top."""

    @property
    def root(self) -> str:
        """Return the project's root."""
        return os.path.normpath(os.path.join(self.git_root, self.plan.project))


class Failed(MlxError):
    """A stage failed: the results so far are told already."""


def run_one(work: Work, run: Run, tell: Tell) -> Outcome:
    """Make an experiment; whatever happens its place is gone afterwards.

    A stage that fails, and a place that cannot be made, are outcomes. Raises KeyboardInterrupt.
    """
    began = time.monotonic()
    watch = _Watch(tell)
    tree = work.folder.tree(run)
    place.forget_elsewhere()
    try:
        commit = _made(work, run, tree, watch)
        outcome = Outcome(DONE, commit=commit)
    except (Interrupted, KeyboardInterrupt):
        outcome = Outcome(STOPPED)
    except (MlxError, OSError, shutil.Error) as error:
        log = work.folder.log(run)
        kept = log if os.path.exists(log) else ""
        hint = getattr(error, "hint", None) or ""
        text = f"{error}" if not hint or isinstance(error, Failed) else f"{error}\n{hint}"
        outcome = Outcome(FAILED, error=text, log=kept)
    finally:
        with uninterrupted():
            os.chdir(work.git_root)
            place.remove(work.git_root, tree)
    return outcome._replace(
        seconds=round(time.monotonic() - began, 3),
        stages=watch.outcomes,
        stage_seconds=round(watch.seconds, 3),
    )


def _made(work: Work, run: Run, tree: str, watch: "_Watch") -> str:
    plan = work.plan
    place.lay_out(work.git_root, tree, plan.baseline, plan.content)
    place.write_files(tree, {path: work.folder.file(name) for path, name in run.files.items()})
    place.copy_paths(work.git_root, tree, plan.copies)
    root = os.path.normpath(os.path.join(tree, plan.project))
    if not os.path.isdir(os.path.join(root, ".dvc")):
        raise MlxError(
            "the project's .dvc folder is not in Git, so no other place can have it",
            hint="run: git add .dvc && git commit",
        )
    place.make_project(work.root, root, work.cache_dir)
    here = os.path.normpath(os.path.join(tree, plan.folder))
    os.makedirs(here, exist_ok=True)
    os.chdir(here)
    os.environ.update(
        {
            MARK: tree,
            NAME: run.name,
            "DVC_EXP_BASELINE_REV": plan.baseline,
            "DVC_ROOT": work.root,
            # Whatever a stage does to its worktree, Git must not take the user's for it.
            "GIT_CEILING_DIRECTORIES": work.folder.trees,
        }
    )
    place.put_code_first(tree, work.code)
    with work.opened(root, _WAIT, watch.say, apart=True) as session:
        order = _run_stages(work, run, session, watch)
    content = left_tree(session, order, tree)
    return keep(work.git_root, plan, run, content, work.there.get(run.name))


def _run_stages(work: Work, run: Run, session: RunSession, watch: "_Watch") -> list[Stage]:
    how = work.plan.how
    order = choose_stages(session, work.plan.targets, how)
    options = Options(
        force=bool(how.get("force")),
        force_downstream=bool(how.get("force_downstream")),
        pull=bool(how.get("pull")),
        allow_missing=bool(how.get("allow_missing")),
        on_error=_on_error(how),
        run_cache=not how.get("no_run_cache"),
        wait=_WAIT,
    )
    graph = session.graph.active()
    results = Executor(session, order, graph, work.machine, options, watch).run()
    failed = [one for one in results if one.outcome == STAGE_FAILED]
    if failed and options.on_error != "ignore":
        _keep_logs(failed, work.folder.log(run))
        raise Failed("; ".join(_explained(one) for one in failed))
    return order


def _on_error(how: dict[str, Any]) -> str:
    if how.get("ignore_errors"):
        return "ignore"
    return "keep-going" if how.get("keep_going") else "fail"


def _explained(result: Result) -> str:
    error = result.error
    assert error is not None
    return f"{error}\n{error.hint}" if error.hint else str(error)


def _keep_logs(failed: Sequence[Result], path: str) -> None:
    """Keep what the stages that failed printed: their place is about to go."""
    logs = [one.log for one in failed if one.log is not None and os.path.exists(one.log)]
    if not logs:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as kept:
        for log in logs:
            with open(log, "rb") as file:
                shutil.copyfileobj(file, kept)


class _Watch:
    """The `Observer` of a run in a process of its own."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.outcomes: dict[str, str] = {}
        self.seconds = 0.0

    def planned(self, stages: list[Stage]) -> None:
        self._tell({"kind": "planned", "stages": len(stages)})

    def started(self, stage: Stage, reasons: list[Reason], log: str) -> None:
        self._tell({"kind": "started", "stage": stage.address(os.getcwd()), "log": log})

    def ended(self, result: Result) -> None:
        name = result.stage.address(os.getcwd())
        if result.outcome in (RAN, RESTORED, STAGE_FAILED):
            self.outcomes[name] = result.outcome
        if result.outcome in (RAN, STAGE_FAILED):
            self.seconds += result.seconds
        self._tell({"kind": "ended", "stage": name, "outcome": result.outcome})

    def say(self, message: str) -> None:
        self._tell({"kind": "said", "text": message})

    def confirm(self, stage: Stage) -> bool:
        return True

"""Runs the stages of a commit again in a worktree of its own, and compares what they make."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import NamedTuple

from mlxkit.core.errors import MlxError, ProjectError
from mlxkit.core.files import write_atomic
from mlxkit.core.progress import Progress
from mlxkit.pipeline.execute import Executor
from mlxkit.pipeline.machine import find_machine
from mlxkit.pipeline.options import Options
from mlxkit.pipeline.result import FAILED as STAGE_FAILED
from mlxkit.pipeline.result import RAN, Observer, Result
from mlxkit.pipeline.rundir import slug
from mlxkit.pipeline.session import RunSession, Session
from mlxkit.pipeline.spec import Out, Stage, inside
from mlxkit.pipeline.targets import find_stages, order_stages
from mlxkit.proof.compare import (
    DIFFERENT,
    FAILED,
    IDENTICAL,
    WITHIN,
    Cause,
    Output,
    causes,
)
from mlxkit.proof.history import History
from mlxkit.proof.outputs import Where, compared
from mlxkit.proof.place import Place, worktree
from mlxkit.proof.rebuilt_record import Collector, keep, place_of
from mlxkit.proof.sources import lay_out
from mlxkit.proof.surroundings import surroundings
from mlxkit.proof.tolerance import Tolerances, read_tolerances
from mlxkit.runs.settings import load_settings

Opened = Callable[[str, float, Callable[[str], None]], AbstractContextManager[RunSession]]
"""How a project is opened to run; handed in by who may know of it."""


class Asked(NamedTuple):
    """What to rebuild, and how: `remote` and `targets` may be empty, `jobs` 0."""

    commit: str
    targets: Sequence[str] = ()
    remote: str = ""
    jobs: int = 0


class Rebuilt(NamedTuple):
    """What came of it. `stage` and `causes` are those of the first that made something else."""

    commit: str
    verdict: str
    results: tuple[Result, ...]
    outputs: tuple[Output, ...]
    stage: str | None
    causes: tuple[Cause, ...]
    environment: tuple[str, ...]
    runs: dict[str, str]
    names: dict[str, str]
    """The stages' names by key: the place that they ran in is gone."""
    seconds: float
    note: str | None = None
    """Why nothing is on record, where that failed."""


def rebuild(
    session: Session, asked: Asked, observer: Observer, progress: Progress, opened: Opened
) -> Rebuilt:
    """Rebuild a commit of the project; the user's tree, index, cache and records stay as they are.

    Only what was found is added to the run records. Raises ProjectError, UsageError, RemoteError,
    MlxError, and Interrupted when it is stopped; the place is removed whatever happens.
    """
    assert session.git_root is not None
    began = time.monotonic()
    tolerances = read_tolerances(session.root)
    observer.say(f"checking out {asked.commit[:8]} beside the repository")
    with worktree(session.git_root, asked.commit) as place:
        folder = os.path.relpath(session.root, session.git_root)
        root = os.path.normpath(os.path.join(place.tree, folder))
        _configure(root, place)
        with _standing_in(session.git_root, place), opened(root, 10.0, observer.say) as built:
            work = _Work(session, built, place, asked, observer, tolerances)
            found = work.done(progress)
    return found._replace(seconds=time.monotonic() - began)


class _Work:
    """One rebuild, in the worktree."""

    def __init__(
        self,
        session: Session,
        built: RunSession,
        place: Place,
        asked: Asked,
        observer: Observer,
        tolerances: Tolerances,
    ) -> None:
        assert session.git_root is not None
        self._session = session
        self._git_root: str = session.git_root
        self._built = built
        self._place = place
        self._asked = asked
        self._observer = observer
        self._tolerances = tolerances
        self._collector = Collector()
        built.recorder = self._collector

    def done(self, progress: Progress) -> Rebuilt:
        built, asked = self._built, self._asked
        runs, given = self._chosen()
        with surroundings(self._git_root, self._place, runs):
            before = {stage.key: built.locks.entry(stage) for stage in runs}
            history = History(self._git_root, built.root, self._place.tree)
            news = history.look(runs, before)
            for line in news:
                self._observer.say(f"another environment than on record: {line}")
            lay_out(self._session, built, given, asked.remote, progress)
            options = Options(force=True, run_cache=False, no_commit=True)
            machine = find_machine(asked.jobs)
            graph = built.graph.active()
            results = Executor(built, runs, graph, machine, options, self._observer).run()
        results = [self._with_log_kept(one) for one in results]
        ran = [one for one in results if one.outcome == RAN]
        where = Where(self._session, built, self._place, asked.commit)
        outputs = [
            out
            for one in ran
            for out in compared(where, one.stage, before[one.stage.key], self._tolerances)
        ]
        first = next((one.stage for one in outputs if one.verdict == DIFFERENT), None)
        why: list[Cause] = []
        for one in results:
            if first == one.stage.address(built.root):
                now = built.locks.entry(one.stage)
                assert now is not None
                told = history.of(one.stage)
                why = causes(
                    one.stage, before[one.stage.key], now, told.before, told.now, told.differences
                )
        records, note = self._kept(outputs, history)
        verdict = _verdict(results, outputs)
        return Rebuilt(
            asked.commit, verdict, tuple(results), tuple(outputs), first, tuple(why),
            tuple(news), records, {one.key: one.address(built.root) for one in runs}, 0.0, note,
        )  # fmt: skip

    def _chosen(self) -> tuple[list[Stage], list[Stage]]:
        """Return the stages to run, and those whose outputs are taken as recorded."""
        built = self._built
        chosen = find_stages(built.declared, self._asked.targets)
        order = order_stages(built.graph.active(), chosen, everything=not self._asked.targets)
        runs = [one for one in order if one.name is not None and not one.frozen]
        given = [one for one in order if one.name is None or one.frozen]
        if not runs:
            raise ProjectError(
                f"no stage is to be run at {self._asked.commit[:8]}",
                hint="name a revision and stages that it has: mlx verify --rebuild REV STAGE",
            )
        fixed = {stage.key for stage in given}
        for stage in order:
            for out in stage.outs:
                if (out.cache or stage.key not in fixed) and self._leaves(out):
                    raise MlxError(
                        f"'{out.path}' of stage '{stage.address(os.getcwd())}' lies outside of the "
                        "repository: to make it again would overwrite what is there",
                        where=built.declared.where(stage),
                        hint="rebuild other stages: mlx verify --rebuild REV STAGE",
                    )
        return runs, given

    def _leaves(self, out: Out) -> bool:
        """Tell whether an output is not in the worktree, be it by a link that a commit has."""
        top = os.path.realpath(self._place.tree)
        return "://" in out.path or not inside(os.path.realpath(out.abs), top)

    def _with_log_kept(self, result: Result) -> Result:
        """Keep what a failed stage printed: its place is about to go."""
        if result.outcome != STAGE_FAILED or result.log is None:
            return result
        name = slug(result.stage.address(self._built.root)) + ".log"
        kept = os.path.join(self._session.root, ".mlx", "logs", "rebuild", name)
        with suppress(OSError):
            os.makedirs(os.path.dirname(kept), exist_ok=True)
            shutil.copyfile(result.log, kept)
            return result._replace(log=kept)
        return result._replace(log=None)

    def _kept(
        self, outputs: Sequence[Output], history: History
    ) -> tuple[dict[str, str], str | None]:
        try:
            if not load_settings(self._session.root).record:
                return {}, None
            where = place_of(self._built.root, self._place.tree)
            made = self._collector.made
            commit = self._asked.commit
            return keep(self._git_root, where, commit, made, outputs, history.environments), None
        except (MlxError, OSError) as error:
            return {}, f"this rebuild is not on record: {error}"


def _verdict(results: Sequence[Result], outputs: Sequence[Output]) -> str:
    if any(one.outcome != RAN for one in results):
        return FAILED
    verdicts = {one.verdict for one in outputs}
    return DIFFERENT if DIFFERENT in verdicts else WITHIN if WITHIN in verdicts else IDENTICAL


def _configure(root: str, place: Place) -> None:
    """Give the project in the worktree a cache of its own, which goes with it."""
    folder = os.path.join(root, ".dvc")
    # By a link of the commit's the settings would be written to another project.
    if not os.path.isdir(folder) or not inside(os.path.realpath(folder), place.tree):
        raise ProjectError("there is no DVC project here at that revision")
    cache = os.path.join(place.folder, "cache")
    text = f"[core]\n    autostage = false\n[cache]\n    dir = {cache}\n    type = copy\n"
    write_atomic(os.path.join(folder, "config.local"), text.encode(), sync=False)


@contextmanager
def _standing_in(git_root: str, place: Place) -> Iterator[None]:
    """Go to the folder of the worktree that the current one stands for: names are seen from it."""
    before = os.getcwd()
    there = os.path.normpath(os.path.join(place.tree, os.path.relpath(before, git_root)))
    os.chdir(there if os.path.isdir(there) else place.tree)
    try:
        yield
    finally:
        os.chdir(before)

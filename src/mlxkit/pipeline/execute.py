"""Brings stages up to date: judges each when its inputs are final, runs what may run at once.

One thread judges and commits; commands run as processes of their own. DVC's project lock is held
while this thread works and given away while it only waits for commands, as DVC does.
"""

import queue
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlxkit.core.errors import BusyError, MlxError, ProjectError
from mlxkit.pipeline.commit import os_errors_explained
from mlxkit.pipeline.course import Course
from mlxkit.pipeline.graph import Graph
from mlxkit.pipeline.jobs import BUSY_POLL_SECONDS, Job, Jobs
from mlxkit.pipeline.options import Options
from mlxkit.pipeline.outcomes import Outcomes
from mlxkit.pipeline.outputs import Outputs
from mlxkit.pipeline.result import Observer, Result
from mlxkit.pipeline.schedule import Machine, Turns, blockers, fits
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.sharing import Sharing
from mlxkit.pipeline.spec import Stage
from mlxkit.tools.process import Ended

if TYPE_CHECKING:
    from mlxkit.pipeline.claims import Claim

PATIENCE = 86_400.0
"""Seconds to wait for DVC's lock with finished work in hand: it must not be thrown away."""


class Interrupted(Exception):
    """The user, or the system, asked us to stop; carries the results so far."""

    def __init__(self, results: list[Result]) -> None:
        super().__init__("interrupted")
        self.results = results


class Executor:
    """One run over the stages of `order`, which is DVC's order."""

    def __init__(
        self,
        session: RunSession,
        order: list[Stage],
        graph: Graph,
        machine: Machine,
        options: Options,
        observer: Observer,
    ) -> None:
        self._session = session
        self._order = order
        self._machine = machine
        self._options = options
        self._observer = observer
        self._turns = Turns(order, blockers(order, session.graph))
        self._jobs = Jobs(session, observer, options.wait)
        self._sharing = Sharing(session, self._jobs, observer)
        self._outputs = Outputs(session, order, options)
        self._outcomes = Outcomes(session.root, graph, options, observer, self._turns.settled)
        self._course = Course(
            session, graph, options, observer, self._jobs, self._outputs, self._outcomes
        )
        self._ready: dict[str, Job] = {}
        self._signal = 0
        self._stops = 0

    def run(self) -> list[Result]:
        """Bring all stages up to date; raises Interrupted, BusyError.

        A stage that fails is a result, not an exception.
        """
        self._observer.planned(self._order)
        with _signals_go_to(self._on_signal):
            try:
                self._loop()
            finally:
                self._jobs.abandon()
        results = self._outcomes.all(self._order)
        if self._signal:
            raise Interrupted(results)
        return results

    @property
    def _halted(self) -> bool:
        return bool(self._signal) or self._outcomes.halted

    def _loop(self) -> None:
        wait, mended = self._options.wait, False
        while True:
            with self._session.repo_lock.holding(wait):
                wait = PATIENCE
                if not mended:
                    self._outputs.mend()
                    mended = True
                self._advance()
                if self._session.locks.due() or not self._jobs.running:
                    self._outputs.flush()
            if self._jobs.running or self._ready or self._sharing:
                self._take_events()
            elif self._halted or not self._turns:
                return

    # Stages

    def _advance(self) -> None:
        """Judge every stage whose inputs are final, and start what fits, until nothing moves."""
        moved = True
        while moved:
            while self._turns and not self._halted:
                self._consider(self._turns.next())
            if self._halted:
                self._drop_ready()
            settled = len(self._outcomes)
            for job in list(self._ready.values()):
                if len(self._jobs.running) >= self._machine.jobs:
                    break
                self._try_start(job)
            moved = len(self._outcomes) > settled  # what another run had made, or could not start

    def _consider(self, stage: Stage) -> None:
        job = self._course.consider(stage)
        if job is not None:
            if self._options.run_cache and not self._outcomes.is_forced(stage):
                job.key = self._sharing.key(stage, job.inputs)
            self._ready[stage.key] = job

    def _try_start(self, job: Job) -> None:
        if self._halted or not fits(job.stage.needs, self._jobs.needs, self._machine):
            return
        try:
            with os_errors_explained(job.stage):
                if self._is_ours(job) and self._jobs.lock_paths(job):
                    del self._ready[job.stage.key]
                    self._course.start(job)
        except (BusyError, ProjectError):
            raise
        except MlxError as error:
            self._ready.pop(job.stage.key, None)
            self._course.not_started(job, error)

    def _is_ours(self, job: Job) -> bool:
        """Tell whether it is on us to run a stage; another run may be at it, or have done it."""
        if job.key is None:
            return True
        if self._sharing.take(job) and not self._course.found(job):
            return True
        del self._ready[job.stage.key]
        return False

    def _drop_ready(self) -> None:
        for job in self._ready.values():
            self._jobs.drop_claim(job)
        self._ready.clear()
        self._sharing.give_up()

    # Events

    def _take_events(self) -> None:
        """Wait for something to happen, then handle all that has happened."""
        blocked = any(job.blocked_since is not None for job in self._ready.values())
        self._jobs.tell()
        try:
            event = self._jobs.events.get(timeout=BUSY_POLL_SECONDS if blocked else None)
        except queue.Empty:
            return
        with self._session.repo_lock.holding(PATIENCE):
            while True:
                self._take(*event)
                try:
                    event = self._jobs.events.get_nowait()
                except queue.Empty:
                    return

    def _take(self, kind: str, key: str, what: "Ended | Claim | int") -> None:
        if isinstance(what, Ended):
            self._session.workspace.forget()
            job = self._jobs.running.pop(key)
            self._course.finish(job, what, stopped=bool(self._signal))
        elif not isinstance(what, int):
            waited = self._sharing.claimed(key, what)
            if waited is not None:
                self._ready[key] = waited
        elif kind == "signal":
            self._stops += 1
            self._drop_ready()
            self._jobs.stop(what, again=self._stops > 1)
        elif kind == "kill":
            self._jobs.signal(signal.SIGKILL)

    def _on_signal(self, number: int) -> None:
        self._signal = number
        self._jobs.events.put(("signal", "", number))


@contextmanager
def _signals_go_to(told: Callable[[int], None]) -> Iterator[None]:
    """Turn signals into calls that only take note, so that nothing is interrupted halfway."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Mapping[int, object] = {
        number: signal.signal(number, lambda number, _: told(number))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # as it was given to us

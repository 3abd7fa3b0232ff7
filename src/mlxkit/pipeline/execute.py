"""Brings stages up to date: judges each when its inputs are final, runs what may run at once.

One thread judges and commits; commands run as processes of their own. DVC's project lock is held
while this thread works and given away while it only waits for commands, as DVC does.
"""

import os
import queue
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mlxkit.core.errors import BusyError, MlxError, ProjectError
from mlxkit.pipeline import records
from mlxkit.pipeline.commit import Inputs, os_errors_explained
from mlxkit.pipeline.entries import make_entry
from mlxkit.pipeline.graph import Graph
from mlxkit.pipeline.jobs import BUSY_POLL_SECONDS, Job, Jobs, command_failed
from mlxkit.pipeline.judge import Action, Judge, Judgement
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.result import (
    FAILED,
    NOT_REACHED,
    RAN,
    RESTORED,
    UNCHANGED,
    Made,
    Observer,
    Result,
)
from mlxkit.pipeline.schedule import Machine, Turns, blockers, fits
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Entry, Stage
from mlxkit.tools.process import Ended

if TYPE_CHECKING:
    # Imported when a stage runs: a run that finds nothing to do must not pay for it.
    from mlxkit.pipeline.aside import Aside
    from mlxkit.pipeline.claims import Claim

PATIENCE = 86_400.0
"""Seconds to wait for DVC's lock with finished work in hand: it must not be thrown away."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run; the names are those of `dvc repro`'s flags."""

    force: bool = False
    force_downstream: bool = False
    interactive: bool = False
    pull: bool = False
    allow_missing: bool = False
    dry: bool = False
    on_error: str = "fail"
    run_cache: bool = True
    no_commit: bool = False
    wait: float = 10.0


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
        self._graph = graph
        self._machine = machine
        self._options = options
        self._observer = observer
        self._judge = Judge(
            session,
            graph,
            force=options.force,
            pull=options.pull,
            allow_missing=options.allow_missing,
            dry=options.dry,
            run_cache=options.run_cache,
        )
        self._place = {stage.key: index for index, stage in enumerate(order)}
        session.locks.set_order(order)
        for stage in order:
            for index, out in enumerate(stage.outs):
                session.ignores.rank(out, (self._place[stage.key], index))
        self._turns = Turns(order, blockers(order, session.graph))
        self._ready: dict[str, Job] = {}
        self._waiting: dict[str, Job] = {}  # for a result that another run is making
        self._jobs = Jobs(session, observer, options.wait)
        self._results: dict[str, Result] = {}
        self._forced: dict[str, str] = {}
        self._uncommitted: list[Aside] = []
        self._signal = 0
        self._stops = 0
        self._halted = False

    def run(self) -> list[Result]:
        """Bring all stages up to date; raises Interrupted, BusyError.

        A stage that fails is a result, not an exception.
        """
        self._observer.planned(self._order)
        with self._signals():
            try:
                self._loop()
            finally:
                self._jobs.abandon()
        for stage in self._order:
            if stage.key not in self._results:
                self._settle(Result(stage, NOT_REACHED))
        results = [self._results[stage.key] for stage in self._order]
        if self._signal:
            raise Interrupted(results)
        return results

    # The loop

    def _loop(self) -> None:
        wait, mended = self._options.wait, False
        while True:
            with self._session.repo_lock.holding(wait):
                wait = PATIENCE
                if not mended:
                    self._mend_locks()
                    mended = True
                self._advance()
                if self._session.locks.due() or not self._jobs.running:
                    self._flush()
            if self._jobs.running or self._ready or self._waiting:
                self._take_events()
            elif self._halted or not self._turns:
                return

    def _mend_locks(self) -> None:
        """Write lock files that were cut or in conflict: DVC, asked about a stage, reads them."""
        for stage in {one.lock_path: one for one in self._order if one.name}.values():
            self._session.locks.entry(stage)
        if self._session.locks.mended:
            self._flush()

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
            self._finish(self._jobs.running.pop(key), what)
        elif not isinstance(what, int):
            self._claimed(key, what)
        elif kind == "signal":
            self._stops += 1
            self._drop_ready()
            self._jobs.stop(what, again=self._stops > 1)
        elif kind == "kill":
            self._jobs.signal(signal.SIGKILL)

    def _advance(self) -> None:
        """Judge every stage whose inputs are final, and start what fits, until nothing moves."""
        moved = True
        while moved:
            while self._turns and not self._halted:
                self._consider(self._turns.next())
            if self._halted:
                self._drop_ready()
            settled = len(self._results)
            for job in list(self._ready.values()):
                if len(self._jobs.running) >= self._machine.jobs:
                    break
                self._try_start(job)
            moved = len(self._results) > settled  # what another run had made, or could not start

    def _drop_ready(self) -> None:
        for job in self._ready.values():
            self._jobs.drop_claim(job)
        self._ready.clear()
        self._waiting.clear()

    # One stage

    def _consider(self, stage: Stage) -> None:
        if self._options.on_error != "ignore" and self._lacks_upstream(stage):
            self._settle(Result(stage, NOT_REACHED))
            return
        try:
            with os_errors_explained(stage):
                judgement = self._judge.judge(
                    stage, self._forced.get(stage.key), self._would_change(stage)
                )
                self._act(stage, judgement)
        except (BusyError, ProjectError):
            raise
        except MlxError as error:
            self._fail(stage, error, ())

    def _act(self, stage: Stage, judgement: Judgement) -> None:
        reasons = judgement.reasons
        if judgement.action is Action.NOTHING:
            self._settle(Result(stage, UNCHANGED))
            return
        if self._options.dry:
            outcome = RESTORED if judgement.action is Action.RESTORE else RAN
            self._settle(Result(stage, outcome, reasons))
            return
        if self._options.interactive and not self._observer.confirm(stage):
            raise MlxError("the user said no", hint="run it again without --interactive")
        if judgement.action is Action.RUN:
            job = self._jobs.new(stage, reasons, judgement.inputs)
            job.key = self._claim_key(job)
            self._ready[stage.key] = job
            return
        self._take_over(stage, judgement)

    def _take_over(self, stage: Stage, judgement: Judgement) -> None:
        """Restore what is known, or record what is there: no command is run."""
        reasons = judgement.reasons
        began, restored = time.time(), judgement.action is Action.RESTORE
        started = time.monotonic()
        self._starting(stage, runs=False)
        if restored:
            self._restore(stage, judgement.kept)
        entry = self._commit(stage, judgement.inputs)
        seconds = time.monotonic() - started
        self._made(Made(stage, RESTORED if restored else RAN, reasons, entry, began, seconds))

    def _restore(self, stage: Stage, kept: Entry | None) -> None:
        if kept is not None:
            self._session.committer.restore(stage, kept)
        else:
            self._session.delegate.restore(stage.file, stage.name)
        self._session.workspace.forget()

    def _try_start(self, job: Job) -> None:
        if self._halted or not fits(job.stage.needs, self._jobs.needs, self._machine):
            return
        try:
            with os_errors_explained(job.stage):
                if self._claim(job) and self._jobs.lock_paths(job):
                    del self._ready[job.stage.key]
                    self._starting(job.stage, runs=True)
                    self._jobs.start(job)
        except (BusyError, ProjectError):
            raise
        except MlxError as error:
            self._ready.pop(job.stage.key, None)
            self._jobs.release(job)
            self._fail(job.stage, error, job.reasons)

    def _finish(self, job: Job, ended: Ended) -> None:
        """Commit what a command made, or put everything back as it was."""
        try:
            if ended.code != 0:
                if self._signal:
                    job.signal(signal.SIGKILL)  # what the shell left behind
                raise command_failed(ended, stopped=bool(self._signal))
            with os_errors_explained(job.stage):
                entry = self._commit(job.stage, job.inputs)
        except MlxError as error:
            self._jobs.undo(job)
            self._jobs.release(job)
            self._fail(job.stage, error, job.reasons, job, ended)
            return
        self._jobs.release(job)
        if job.stage.env and self._session.environments is not None:
            self._session.environments.made(job.stage, entry)
        if job.kept is not None:
            self._uncommitted.append(job.kept)
        made = Made(job.stage, RAN, job.reasons, entry, job.began, ended.seconds, ended)
        self._made(made, job)

    def _commit(self, stage: Stage, inputs: Inputs) -> Entry:
        session, no_commit = self._session, self._options.no_commit
        if stage.name is None:
            force = bool(self._options.force or stage.key in self._forced)
            session.delegate.bring(stage.file, force=force, no_commit=no_commit)
            session.workspace.forget()
            found = {out.path: session.workspace.content(out.abs) for out in stage.outs}
            return make_entry(stage, {}, {}, {path: one for path, one in found.items() if one})
        if session.delegated(stage):
            entry = session.delegate.commit(stage.file, stage.name, no_commit=no_commit)
            assert entry is not None
        else:
            entry = session.committer.commit(stage, inputs, no_commit=no_commit)
            for index, out in enumerate(stage.outs):
                session.ignores.add(out, (self._place[stage.key], index))
        session.locks.put(stage, entry)
        return entry

    # Other runs

    def _claim_key(self, job: Job) -> str | None:
        """Return by what a stage is claimed; None where its result could not be shared."""
        session, stage = self._session, job.stage
        forced = self._options.force or stage.key in self._forced or not self._options.run_cache
        if session.claims is None or forced or not session.committer.runcache.keeps(stage):
            return None
        if not all(out.cache or out.metric or out.plot for out in stage.outs):
            return None
        return session.committer.runcache.key(session.committer.expected(stage, job.inputs))

    def _claim(self, job: Job) -> bool:
        """Tell whether it is on us to run a stage; another run may be at it, or have done it."""
        claims = self._session.claims
        if claims is None or job.key is None:
            return True
        if job.claim is None:
            job.claim = claims.take(job.key)
            if job.claim is None:
                del self._ready[job.stage.key]
                self._waiting[job.stage.key] = job
                name = job.stage.address(os.getcwd())
                self._observer.say(f"waiting for stage '{name}': another run is making the same")
                told = partial(self._tell_claimed, job.stage.key)
                claims.wait(job.key, told)
                return False
        kept = self._judge.kept(job.stage, job.inputs)
        if kept is None:
            return True
        del self._ready[job.stage.key]
        self._jobs.drop_claim(job)
        found = Judgement(Action.RESTORE, job.reasons, job.inputs, kept)
        self._take_over(job.stage, found)
        return False

    def _tell_claimed(self, key: str, claim: "Claim") -> None:
        self._jobs.events.put(("claimed", key, claim))

    def _claimed(self, key: str, claim: "Claim") -> None:
        job = self._waiting.pop(key, None)
        if job is None:
            claim.release()  # we were told to stop meanwhile
        else:
            job.claim = claim
            self._ready[key] = job

    # Results

    def _starting(self, stage: Stage, *, runs: bool) -> None:
        """Let the recorder see the project before a stage changes anything."""
        if self._session.recorder is not None:
            self._session.recorder.starting(stage, runs=runs)

    def _record(self, made: Made) -> str | None:
        recorder = self._session.recorder
        return recorder.record(made) if recorder is not None else None

    def _made(self, made: Made, job: Job | None = None) -> None:
        stage = made.stage
        if self._options.force_downstream:
            for key in self._graph.feeds[stage.key]:
                self._forced.setdefault(key, stage.address(os.getcwd()))
        run, log = self._record(made), job.log if job is not None else None
        self._settle(Result(stage, made.outcome, made.reasons, made.seconds, run, None, log))

    def _fail(
        self,
        stage: Stage,
        error: MlxError,
        reasons: tuple[Reason, ...],
        job: Job | None = None,
        ended: Ended | None = None,
    ) -> None:
        if error.where is None:
            error.where = self._session.declared.where(stage)
        error.message = f"stage '{stage.address(os.getcwd())}': {error.message}"
        if self._options.on_error == "fail":
            self._halted = True
        seconds, run = 0.0, None
        if job is not None and ended is not None:  # it ran: that is on record, too
            seconds = ended.seconds
            entry = self._session.committer.expected(stage, job.inputs)
            read = {key: value for key, value in entry.items() if key != "outs"}
            run = self._record(Made(stage, FAILED, reasons, read, job.began, seconds, ended))
        log = job.log if job is not None else None
        self._settle(Result(stage, FAILED, reasons, seconds, run, error, log))

    def _settle(self, result: Result) -> None:
        self._results[result.stage.key] = result
        self._turns.settled(result.stage)
        if result.outcome in (RAN, RESTORED, FAILED) and not self._options.dry:
            records.save(self._session.root, result)
        self._observer.ended(result)

    def _lacks_upstream(self, stage: Stage) -> bool:
        near = [self._results.get(key) for key in self._graph.needs[stage.key]]
        return any(one is not None and one.outcome in (FAILED, NOT_REACHED) for one in near)

    def _would_change(self, stage: Stage) -> str | None:
        """In a dry run, name an upstream stage that would run."""
        if self._options.dry:
            for key in self._graph.needs[stage.key]:
                result = self._results.get(key)
                if result is not None and result.outcome in (RAN, RESTORED):
                    return result.stage.address(os.getcwd())
        return None

    # Writing

    def _flush(self) -> None:
        """Bring `.gitignore` and lock files to the disk, then drop the earlier outputs."""
        session = self._session
        if (session.locks.dirty or session.ignores.dirty) and not self._options.dry:
            self._note_bases()
            touched = [*session.ignores.flush(), *session.locks.flush()]
            session.touched.update(touched)
        if self._uncommitted:
            from mlxkit.pipeline.aside import drop

            for kept in self._uncommitted:
                drop(kept)
            self._uncommitted.clear()

    def _note_bases(self) -> None:
        """Write down what the files were before this run: a run after a kill needs it."""
        rundir, session = self._session.rundir, self._session
        bases = {**{path: session.locks.base(path) for path in session.locks.dirty}}
        if not bases.keys() <= rundir.lock_bases.keys() or session.ignores.bases != (
            rundir.ignore_bases
        ):
            rundir.lock_bases = {**bases, **rundir.lock_bases}
            rundir.ignore_bases = dict(session.ignores.bases)
            rundir.note_bases()

    # Signals

    def _on_signal(self, number: int, _: object) -> None:
        self._signal = number
        self._halted = True
        self._jobs.events.put(("signal", "", number))

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Turn signals into events, so that nothing is interrupted halfway."""
        numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before: Mapping[int, object] = {
            number: signal.signal(number, self._on_signal) for number in numbers
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)  # type: ignore[arg-type]  # as it was given to us

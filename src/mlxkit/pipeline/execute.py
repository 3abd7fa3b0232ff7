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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mlxkit.core.errors import BusyError, MlxError, ProjectError
from mlxkit.pipeline import records
from mlxkit.pipeline.commit import Inputs, os_errors_explained
from mlxkit.pipeline.graph import Graph
from mlxkit.pipeline.judge import Action, Judge, Judgement
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.result import (
    FAILED,
    NOT_REACHED,
    RAN,
    RESTORED,
    UNCHANGED,
    Observer,
    Result,
    StageStopped,
)
from mlxkit.pipeline.rundir import slug
from mlxkit.pipeline.schedule import Machine, Turns, blockers, fits
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Stage, commands
from mlxkit.tools.process import Commands, Ended, require_shell

if TYPE_CHECKING:
    # Imported when a stage runs: a run that finds nothing to do must not pay for it.
    from mlxkit.pipeline.aside import Aside

GRACE_SECONDS = 5.0
BUSY_POLL_SECONDS = 0.05
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


@dataclass(slots=True)
class Job:
    """A stage that must run: judged, then waiting for its turn, then running."""

    stage: Stage
    reasons: tuple[Reason, ...]
    inputs: Inputs
    log: str
    commands: Commands | None = None
    kept: "Aside | None" = None
    began: float = 0.0
    blocked_since: float | None = None


class Interrupted(Exception):
    """The user, or the system, asked us to stop; carries the results so far."""

    def __init__(self, results: list[Result]) -> None:
        super().__init__("interrupted")
        self.results = results


_Event = tuple[str, str, Ended | int]


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
        self._running: dict[str, Job] = {}
        self._results: dict[str, Result] = {}
        self._forced: dict[str, str] = {}
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
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
                self._abandon()
        for stage in self._order:
            if stage.key not in self._results:
                self._settle(Result(stage, NOT_REACHED))
        results = [self._results[stage.key] for stage in self._order]
        if self._signal:
            raise Interrupted(results)
        return results

    # The loop

    def _loop(self) -> None:
        wait = self._options.wait
        while True:
            with self._session.repo_lock.holding(wait):
                wait = PATIENCE
                self._advance()
                if self._session.locks.due() or not self._running:
                    self._flush()
            if self._running or self._ready:
                self._take_events()
            elif self._halted or not self._turns:
                return

    def _take_events(self) -> None:
        """Wait for something to happen, then handle all that has happened."""
        blocked = any(job.blocked_since is not None for job in self._ready.values())
        try:
            event = self._events.get(timeout=BUSY_POLL_SECONDS if blocked else None)
        except queue.Empty:
            return
        with self._session.repo_lock.holding(PATIENCE):
            while True:
                self._take(*event)
                try:
                    event = self._events.get_nowait()
                except queue.Empty:
                    return

    def _take(self, kind: str, key: str, what: Ended | int) -> None:
        if isinstance(what, Ended):
            self._session.workspace.forget()
            self._finish(self._running.pop(key), what)
        elif kind == "signal":
            self._stop(what)
        elif kind == "kill":
            for job in self._running.values():
                _signal(job, signal.SIGKILL)

    def _advance(self) -> None:
        """Judge every stage whose inputs are final, and start what fits, until nothing moves."""
        while self._turns and not self._halted:
            self._consider(self._turns.next())
        if self._halted:
            self._ready.clear()
        for job in list(self._ready.values()):
            if len(self._running) >= self._machine.jobs:
                break
            self._try_start(job)

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
            log = records.log_path(self._session.root, stage.address(self._session.root))
            self._ready[stage.key] = Job(stage, reasons, judgement.inputs, log)
        elif judgement.action is Action.RESTORE and judgement.kept is not None:
            began = time.monotonic()
            self._session.committer.restore(stage, judgement.kept)
            self._session.workspace.forget()
            self._commit(stage, judgement.inputs)
            self._made(stage, RESTORED, reasons, time.monotonic() - began)
        else:
            began = time.monotonic()
            self._commit(stage, judgement.inputs)
            self._made(stage, RAN, reasons, time.monotonic() - began)

    def _try_start(self, job: Job) -> None:
        beside = [one.stage.needs for one in self._running.values()]
        if self._halted or not fits(job.stage.needs, beside, self._machine):
            return
        try:
            with os_errors_explained(job.stage):
                if self._lock_paths(job):
                    del self._ready[job.stage.key]
                    self._start(job)
        except (BusyError, ProjectError):
            raise
        except MlxError as error:
            self._ready.pop(job.stage.key, None)
            self._release(job)
            self._fail(job.stage, error, job.reasons)

    def _lock_paths(self, job: Job) -> bool:
        """Register the job's paths with DVC's path locks; raises BusyError after `wait`."""
        blocker = self._session.path_locks.acquire(*_paths(job.stage))
        if blocker is None:
            job.blocked_since = None
            return True
        now = time.monotonic()
        if job.blocked_since is None:
            job.blocked_since = now
            self._observer.say(
                f"waiting for '{os.path.relpath(blocker.path)}', in use by pid {blocker.pid}"
            )
        if now - job.blocked_since >= self._options.wait:
            raise BusyError(
                f"'{os.path.relpath(blocker.path)}' is in use by another process "
                f"(pid {blocker.pid}: {blocker.cmd})",
                hint="wait for it to finish, or give --wait SECONDS",
            )
        return False

    def _start(self, job: Job) -> None:
        from mlxkit.pipeline.aside import set_aside
        from mlxkit.store.checkout import remove

        stage, session = job.stage, self._session
        require_shell()
        if session.delegated(stage):
            session.delegate.prepare(stage.file, stage.name)
        rundir = session.rundir
        for out in stage.outs:
            if out.persist and out.cache and os.path.lexists(out.abs):
                session.committer.store.unprotect(out.abs)  # or a hard link writes to the cache
        name = slug(stage.address(session.root))
        with suppress(OSError):
            remove(os.path.join(session.root, ".mlx", "partial", name))
        job.kept = set_aside(rundir.folder, name, stage)
        job.began = time.time()
        rundir.running[stage.key] = {"began": job.began, "log": job.log}
        rundir.note()
        records.start_log(job.log, stage)
        job.commands = Commands(
            commands(stage),
            cwd=stage.wdir,
            env=self._environment(stage),
            log=job.log,
            on_end=partial(self._on_end, stage.key),
        )
        self._running[stage.key] = job
        self._observer.started(stage, list(job.reasons), job.log)
        job.commands.start()

    def _on_end(self, key: str, ended: Ended) -> None:
        self._events.put(("ended", key, ended))

    def _environment(self, stage: Stage) -> dict[str, str]:
        env = dict(os.environ)
        env.setdefault("DVC_ROOT", self._session.root)
        env["DVC_STAGE"] = stage.address(os.getcwd())
        name, _, value = self._session.rundir.mark.partition("=")
        env[name] = value
        return env

    def _finish(self, job: Job, ended: Ended) -> None:
        """Commit what a command made, or put everything back as it was."""
        try:
            if ended.code != 0:
                if self._signal and job.commands is not None:
                    job.commands.signal(signal.SIGKILL)  # what the shell left behind
                raise _command_failed(ended, stopped=bool(self._signal))
            with os_errors_explained(job.stage):
                self._commit(job.stage, job.inputs)
        except MlxError as error:
            self._undo(job)
            self._release(job)
            self._fail(job.stage, error, job.reasons, ended.seconds, job)
            return
        self._release(job)
        if job.kept is not None:
            self._uncommitted.append(job.kept)
        self._made(job.stage, RAN, job.reasons, ended.seconds, job)

    def _commit(self, stage: Stage, inputs: Inputs) -> None:
        session, no_commit = self._session, self._options.no_commit
        if stage.name is None:
            force = bool(self._options.force or stage.key in self._forced)
            session.delegate.bring(stage.file, force=force, no_commit=no_commit)
            return
        if session.delegated(stage):
            entry = session.delegate.commit(stage.file, stage.name, no_commit=no_commit)
            assert entry is not None
        else:
            entry = session.committer.commit(stage, inputs, no_commit=no_commit)
            for index, out in enumerate(stage.outs):
                session.ignores.add(out, (self._place[stage.key], index))
        session.locks.put(stage, entry)

    def _undo(self, job: Job) -> None:
        if job.kept is None:
            return
        from mlxkit.pipeline.aside import put_back

        partial = os.path.join(self._session.root, ".mlx", "partial")
        left = put_back(job.kept, partial)
        self._session.workspace.forget()
        if left is not None:
            self._observer.say(f"what it had written is kept in {os.path.relpath(left)}")

    def _release(self, job: Job) -> None:
        if self._session.rundir.running.pop(job.stage.key, None) is not None:
            self._session.rundir.note()
        self._session.path_locks.release(*_paths(job.stage))

    # Results

    def _made(
        self,
        stage: Stage,
        outcome: str,
        reasons: tuple[Reason, ...],
        seconds: float,
        job: Job | None = None,
    ) -> None:
        if self._options.force_downstream:
            for key in self._graph.feeds[stage.key]:
                self._forced.setdefault(key, stage.address(os.getcwd()))
        log = job.log if job is not None else None
        self._settle(Result(stage, outcome, reasons, seconds, os.urandom(8).hex(), None, log))

    def _fail(
        self,
        stage: Stage,
        error: MlxError,
        reasons: tuple[Reason, ...],
        seconds: float = 0.0,
        job: Job | None = None,
    ) -> None:
        if error.where is None:
            error.where = self._session.declared.where(stage)
        error.message = f"stage '{stage.address(os.getcwd())}': {error.message}"
        if self._options.on_error == "fail":
            self._halted = True
        log = job.log if job is not None else None
        self._settle(Result(stage, FAILED, reasons, seconds, None, error, log))

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
        if session.locks.dirty or session.ignores.dirty:
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

    # Stopping

    def _stop(self, number: int) -> None:
        """Ask the running stages to end; a second request, or five seconds, and they are killed."""
        self._stops += 1
        again = self._stops > 1
        self._ready.clear()
        for job in self._running.values():
            _signal(job, signal.SIGKILL if again else number)
        if not again and self._running:
            self._observer.say("stopping: waiting for the running stages to end")
            timer = threading.Timer(GRACE_SECONDS, self._events.put, [("kill", "", 0)])
            timer.daemon = True
            timer.start()

    def _abandon(self) -> None:
        """Leave nothing running and nothing half done when an error ends the loop."""
        for job in self._running.values():
            _signal(job, signal.SIGKILL)
        while self._running:
            _, key, what = self._events.get()
            if isinstance(what, Ended):
                job = self._running.pop(key)
                self._undo(job)
                self._release(job)

    def _on_signal(self, number: int, _: object) -> None:
        self._signal = number
        self._halted = True
        self._events.put(("signal", "", number))

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


def _paths(stage: Stage) -> tuple[list[str], list[str]]:
    read = [dep.abs for dep in stage.deps] + [one.abs for one in stage.params]
    return read, [out.abs for out in stage.outs]


def _signal(job: Job, number: int) -> None:
    if job.commands is not None:
        job.commands.signal(number)


def _command_failed(ended: Ended, *, stopped: bool) -> MlxError:
    if stopped:
        return StageStopped("was stopped")
    if ended.code < 0:
        name = signal.Signals(-ended.code).name
        how = f"was ended by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
    else:
        how = f"failed with exit code {ended.code}"
    return MlxError(f"its command {how}: {ended.command}")

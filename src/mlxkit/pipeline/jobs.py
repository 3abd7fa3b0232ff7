"""Running stages: each a process of its own, whose earlier outputs wait until it has succeeded."""

import os
import queue
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mlxkit.core.errors import BusyError, MlxError
from mlxkit.pipeline import records
from mlxkit.pipeline.commit import Inputs
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.result import Observer, StageStopped
from mlxkit.pipeline.rundir import slug
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Needs, Stage, commands
from mlxkit.tools.process import Commands, Ended, require_shell

if TYPE_CHECKING:
    # Imported when a stage runs: a run that finds nothing to do must not pay for it.
    from mlxkit.pipeline.aside import Aside
    from mlxkit.pipeline.claims import Claim

GRACE_SECONDS = 5.0
BUSY_POLL_SECONDS = 0.05

Event = tuple[str, str, "Ended | Claim | int"]
"""What happened, to which stage, and how: `ended`, `claimed`, `signal` (its number) or `kill`."""


@dataclass(slots=True)
class Job:
    """A stage that must run: judged, then waiting for its turn, then running."""

    stage: Stage
    reasons: tuple[Reason, ...]
    inputs: Inputs
    log: str
    commands: Commands | None = None
    kept: "Aside | None" = None
    key: str | None = None
    """The digest of its inputs, by which it is claimed; None where nobody else would run it."""
    claim: "Claim | None" = None
    began: float = 0.0
    blocked_since: float | None = None

    def signal(self, number: int) -> None:
        """Send a signal to everything that the stage started."""
        if self.commands is not None:
            self.commands.signal(number)


class Jobs:
    """The stages that run now; what happens to them arrives as events."""

    def __init__(self, session: RunSession, observer: Observer, wait: float) -> None:
        self.running: dict[str, Job] = {}
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._session = session
        self._observer = observer
        self._wait = wait
        self._told = True  # whether the run's folder says what runs now

    @property
    def needs(self) -> list[Needs]:
        """What the running stages use of the machine."""
        return [job.stage.needs for job in self.running.values()]

    def new(self, stage: Stage, reasons: tuple[Reason, ...], inputs: Inputs) -> Job:
        """Describe a stage that must run."""
        root = self._session.root
        return Job(stage, reasons, inputs, records.log_path(root, stage.address(root)))

    def lock_paths(self, job: Job) -> bool:
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
        if now - job.blocked_since >= self._wait:
            raise BusyError(
                f"'{os.path.relpath(blocker.path)}' is in use by another process "
                f"(pid {blocker.pid}: {blocker.cmd})",
                hint="wait for it to finish, or give --wait SECONDS",
            )
        return False

    def start(self, job: Job) -> None:
        """Put the earlier outputs aside and start the stage's commands."""
        from mlxkit.pipeline.aside import set_aside
        from mlxkit.store.checkout import remove

        stage, session = job.stage, self._session
        require_shell()
        session.workspace.lay_out(stage)
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
        if stage.env and session.environments is not None:
            session.environments.starting(stage)
        job.began = time.time()
        rundir.running[stage.key] = {"began": job.began, "log": job.log}
        rundir.note()
        self._told = True
        records.start_log(job.log, stage)
        job.commands = Commands(
            commands(stage),
            cwd=stage.wdir,
            env=self._environment(stage),
            log=job.log,
            on_end=partial(self._on_end, stage.key),
        )
        self.running[stage.key] = job
        self._observer.started(stage, list(job.reasons), job.log)
        job.commands.start()

    def stop(self, number: int, *, again: bool) -> None:
        """Ask the running stages to end; asked again, or after five seconds, they are killed."""
        self.signal(signal.SIGKILL if again else number)
        if not again and self.running:
            self._observer.say("stopping: waiting for the running stages to end")
            timer = threading.Timer(GRACE_SECONDS, self.events.put, [("kill", "", 0)])
            timer.daemon = True
            timer.start()

    def signal(self, number: int) -> None:
        """Send a signal to everything that runs."""
        for job in self.running.values():
            job.signal(number)

    def abandon(self) -> None:
        """Kill what runs and put everything back; for an error that ends the whole run."""
        self.signal(signal.SIGKILL)
        while self.running:
            _, key, what = self.events.get()
            if isinstance(what, Ended):
                job = self.running.pop(key)
                self.undo(job)
                self.release(job)

    def undo(self, job: Job) -> None:
        """Put back the outputs that the stage had before; what it wrote is kept beside."""
        if job.kept is None:
            return
        from mlxkit.pipeline.aside import put_back

        partial = os.path.join(self._session.root, ".mlx", "partial")
        left = put_back(job.kept, partial)
        self._session.workspace.forget()
        if left is not None and self._session.claims is None:  # what is apart does not stay
            self._observer.say(f"what it had written is kept in {os.path.relpath(left)}")

    def release(self, job: Job) -> None:
        """Give the job's paths to others."""
        if self._session.rundir.running.pop(job.stage.key, None) is not None:
            self._told = False
        self._session.path_locks.release(*_paths(job.stage))
        self.drop_claim(job)

    def drop_claim(self, job: Job) -> None:
        """Let others run the same, or find what came of it."""
        if job.claim is not None:
            job.claim.release()
            job.claim = None

    def tell(self) -> None:
        """Let others see what runs now, before we wait: the next start would have told, too."""
        if not self._told:
            self._told = True
            self._session.rundir.note()

    def _on_end(self, key: str, ended: Ended) -> None:
        self.events.put(("ended", key, ended))

    def _environment(self, stage: Stage) -> dict[str, str]:
        env = dict(os.environ)
        env.setdefault("DVC_ROOT", self._session.root)
        env["DVC_STAGE"] = stage.address(os.getcwd())
        name, _, value = self._session.rundir.mark.partition("=")
        env[name] = value
        return env


def command_failed(ended: Ended, *, stopped: bool) -> MlxError:
    """Say how a command ended that did not succeed."""
    if stopped:
        return StageStopped("was stopped")
    if ended.code < 0:
        name = signal.Signals(-ended.code).name
        how = f"was ended by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
    else:
        how = f"failed with exit code {ended.code}"
    return MlxError(f"its command {how}: {ended.command}")


def _paths(stage: Stage) -> tuple[list[str], list[str]]:
    read = [dep.abs for dep in stage.deps] + [one.abs for one in stage.params]
    return read, [out.abs for out in stage.outs]

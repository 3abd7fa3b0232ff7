"""The course of one stage: judged, then left, restored or run, then committed and on record."""

import os
import signal
import time

from mlxkit.core.errors import BusyError, MlxError, ProjectError
from mlxkit.pipeline.commit import Inputs, os_errors_explained
from mlxkit.pipeline.graph import Graph
from mlxkit.pipeline.jobs import Job, Jobs, command_failed
from mlxkit.pipeline.judge import Action, Judge, Judgement
from mlxkit.pipeline.options import Options
from mlxkit.pipeline.outcomes import Outcomes
from mlxkit.pipeline.outputs import Outputs
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
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Entry, Stage
from mlxkit.tools.process import Ended


class Course:
    """Takes stages from their judgement to their outcome; a failure is an outcome, too."""

    def __init__(
        self,
        session: RunSession,
        graph: Graph,
        options: Options,
        observer: Observer,
        jobs: Jobs,
        outputs: Outputs,
        outcomes: Outcomes,
    ) -> None:
        self._session = session
        self._options = options
        self._observer = observer
        self._judge = Judge(session, graph, options)
        self._jobs = jobs
        self._outputs = outputs
        self._outcomes = outcomes

    def consider(self, stage: Stage) -> Job | None:
        """Return the job of a stage that must run; settle any other.

        Raises BusyError, ProjectError.
        """
        if self._outcomes.lacks_upstream(stage):
            self._outcomes.settle(Result(stage, NOT_REACHED))
            return None
        try:
            with os_errors_explained(stage):
                return self._act(stage, self._judged(stage))
        except (BusyError, ProjectError):
            raise
        except MlxError as error:
            self._fail(stage, error, ())
            return None

    def start(self, job: Job) -> None:
        """Start the commands of a job."""
        self._starting(job.stage, runs=True)
        self._jobs.start(job)

    def not_started(self, job: Job, error: MlxError) -> None:
        """Settle a job that could not be started."""
        self._jobs.release(job)
        self._fail(job.stage, error, job.reasons)

    def found(self, job: Job) -> bool:
        """Take over what another run has made meanwhile; tell whether there was anything."""
        kept = self._judge.kept(job.stage, job.inputs)
        if kept is None:
            return False
        self._jobs.drop_claim(job)
        self._take_over(job.stage, Judgement(Action.RESTORE, job.reasons, job.inputs, kept))
        return True

    def finish(self, job: Job, ended: Ended, *, stopped: bool) -> None:
        """Commit what a command made, or put everything back as it was."""
        try:
            if ended.code != 0:
                if stopped:
                    job.signal(signal.SIGKILL)  # what the shell left behind
                raise command_failed(ended, stopped=stopped)
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
            self._outputs.replaced(job.kept)
        made = Made(job.stage, RAN, job.reasons, entry, job.began, ended.seconds, ended)
        self._succeed(made, job.log)

    def _judged(self, stage: Stage) -> Judgement:
        outcomes = self._outcomes
        return self._judge.judge(stage, outcomes.forced_by(stage), outcomes.would_change(stage))

    def _act(self, stage: Stage, judgement: Judgement) -> Job | None:
        reasons = judgement.reasons
        if judgement.action is Action.NOTHING:
            self._outcomes.settle(Result(stage, UNCHANGED))
            return None
        if self._options.dry:
            outcome = RESTORED if judgement.action is Action.RESTORE else RAN
            self._outcomes.settle(Result(stage, outcome, reasons))
            return None
        if self._options.interactive and not self._observer.confirm(stage):
            raise MlxError("the user said no", hint="run it again without --interactive")
        if judgement.action is Action.RUN:
            return self._jobs.new(stage, reasons, judgement.inputs)
        self._take_over(stage, judgement)
        return None

    def _take_over(self, stage: Stage, judgement: Judgement) -> None:
        """Restore what is known, or record what is there: no command is run."""
        began, started = time.time(), time.monotonic()
        restored = judgement.action is Action.RESTORE
        self._starting(stage, runs=False)
        if restored:
            self._outputs.restore(stage, judgement.kept)
        entry = self._commit(stage, judgement.inputs)
        seconds, outcome = time.monotonic() - started, RESTORED if restored else RAN
        self._succeed(Made(stage, outcome, judgement.reasons, entry, began, seconds))

    def _commit(self, stage: Stage, inputs: Inputs) -> Entry:
        return self._outputs.commit(stage, inputs, forced=self._outcomes.is_forced(stage))

    def _starting(self, stage: Stage, *, runs: bool) -> None:
        """Let the recorder see the project before a stage changes anything."""
        if self._session.recorder is not None:
            self._session.recorder.starting(stage, runs=runs)

    def _record(self, made: Made) -> str | None:
        recorder = self._session.recorder
        return recorder.record(made) if recorder is not None else None

    def _succeed(self, made: Made, log: str | None = None) -> None:
        self._outcomes.changed(made.stage)
        run = self._record(made)
        result = Result(made.stage, made.outcome, made.reasons, made.seconds, run, None, log)
        self._outcomes.settle(result)

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
        seconds, run = 0.0, None
        if job is not None and ended is not None:  # it ran: that is on record, too
            seconds = ended.seconds
            entry = self._session.committer.expected(stage, job.inputs)
            read = {key: value for key, value in entry.items() if key != "outs"}
            run = self._record(Made(stage, FAILED, reasons, read, job.began, seconds, ended))
        log = job.log if job is not None else None
        self._outcomes.settle(Result(stage, FAILED, reasons, seconds, run, error, log))

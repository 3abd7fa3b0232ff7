"""Of several runs that share a cache, one runs a stage, and the others wait for its result."""

import os
from functools import partial
from typing import TYPE_CHECKING

from mlxkit.pipeline.commit import Inputs
from mlxkit.pipeline.jobs import Job, Jobs
from mlxkit.pipeline.result import Observer
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Stage

if TYPE_CHECKING:
    # Imported when runs share a cache: a run of its own must not pay for it.
    from mlxkit.pipeline.claims import Claim


class Sharing:
    """The jobs of this run that others may be at; those wait until they hear of it."""

    def __init__(self, session: RunSession, jobs: Jobs, observer: Observer) -> None:
        self._session = session
        self._jobs = jobs
        self._observer = observer
        self._waiting: dict[str, Job] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def key(self, stage: Stage, inputs: Inputs) -> str | None:
        """Return by what a stage is claimed; None where its result could not be shared."""
        session = self._session
        if session.claims is None or not session.committer.runcache.keeps(stage):
            return None
        if not all(out.cache or out.metric or out.plot for out in stage.outs):
            return None
        return session.committer.runcache.key(session.committer.expected(stage, inputs))

    def take(self, job: Job) -> bool:
        """Claim what a job makes; where another run has it, wait for the event `claimed`."""
        claims = self._session.claims
        if claims is None or job.key is None or job.claim is not None:
            return True
        job.claim = claims.take(job.key)
        if job.claim is not None:
            return True
        self._waiting[job.stage.key] = job
        name = job.stage.address(os.getcwd())
        self._observer.say(f"waiting for stage '{name}': another run is making the same")
        claims.wait(job.key, partial(self._tell, job.stage.key))
        return False

    def claimed(self, key: str, claim: "Claim") -> Job | None:
        """Return the job that waited for a claim; None where we were told to stop meanwhile."""
        job = self._waiting.pop(key, None)
        if job is None:
            claim.release()
        else:
            job.claim = claim
        return job

    def give_up(self) -> None:
        """Wait for nothing any more."""
        self._waiting.clear()

    def _tell(self, key: str, claim: "Claim") -> None:
        self._jobs.events.put(("claimed", key, claim))

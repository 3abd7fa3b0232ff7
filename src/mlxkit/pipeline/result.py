"""What a run tells: the outcome of each stage, as it happens and at the end."""

from typing import NamedTuple, Protocol

from mlxkit.core.errors import MlxError
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.spec import Stage

RAN = "ran"
RESTORED = "restored"
UNCHANGED = "unchanged"
FAILED = "failed"
NOT_REACHED = "not-reached"


class StageStopped(MlxError):
    """A stage was ended because the user, or the system, ended the run."""

    code = "stopped"


class Result(NamedTuple):
    """The outcome of one stage; `run` is the id of the record, None where nothing was made."""

    stage: Stage
    outcome: str
    reasons: tuple[Reason, ...] = ()
    seconds: float = 0.0
    run: str | None = None
    error: MlxError | None = None
    log: str | None = None


class Observer(Protocol):
    """Who watches a run; the engine itself never talks to the user."""

    def planned(self, stages: list[Stage]) -> None: ...
    def started(self, stage: Stage, reasons: list[Reason], log: str) -> None: ...
    def ended(self, result: Result) -> None: ...
    def say(self, message: str) -> None: ...
    def confirm(self, stage: Stage) -> bool: ...

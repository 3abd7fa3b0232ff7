"""What a run tells: the outcome of each stage, as it happens and at the end."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

from mlxkit.core.errors import MlxError
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.spec import Entry, Stage

if TYPE_CHECKING:
    from mlxkit.tools.process import Ended

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


class Made(NamedTuple):
    """What a stage did that ran, was restored or failed: all that a record of it needs.

    `entry` is its lock entry, without outputs where it failed, and outputs only for a `.dvc` file;
    `began` is the time of day in seconds since 1970. `ended` is None where no command was run.
    """

    stage: Stage
    outcome: str
    reasons: tuple[Reason, ...]
    entry: Entry
    began: float
    seconds: float
    ended: "Ended | None" = None


class Recorder(Protocol):
    """Who keeps records of runs; must never raise: a run does not fail by its record."""

    def starting(self, stage: Stage, *, runs: bool) -> None: ...
    def record(self, made: Made) -> str | None: ...
    def finish(self) -> None: ...

"""Errors that a user can act on, and the exit code of each."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command; a contract with scripts."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CHECK_FAILED = 3
    PROJECT = 4
    BUSY = 5
    REMOTE = 6
    INTERNAL = 70
    INTERRUPTED = 130


class MlxError(Exception):
    """What is wrong (`message`), where (`where`, like `dvc.yaml:12`) and what to do (`hint`)."""

    exit_code = ExitCode.FAILED
    code = "failed"

    def __init__(self, message: str, *, hint: str | None = None, where: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class UsageError(MlxError):
    """The arguments are wrong."""

    exit_code = ExitCode.USAGE
    code = "usage"

    def __init__(self, message: str, *, hint: str | None = None, where: str | None = None) -> None:
        super().__init__(message, hint=hint or "see: mlx --help", where=where)


class ProjectError(MlxError):
    """There is no project here, or one of its files is invalid."""

    exit_code = ExitCode.PROJECT
    code = "project"

    def __init__(self, message: str, *, hint: str | None = None, where: str | None = None) -> None:
        if hint is None:
            hint = f"correct {where}" if where else "see: mlx doctor"
        super().__init__(message, hint=hint, where=where)


class BusyError(MlxError):
    """Another process holds a lock for longer than we may wait."""

    exit_code = ExitCode.BUSY
    code = "busy"


class RemoteError(MlxError):
    """Storage or network failed after retries."""

    exit_code = ExitCode.REMOTE
    code = "remote"

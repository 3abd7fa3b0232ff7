"""Shows a run while it goes, line by line; on a terminal see `progress_live`."""

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from mlxkit.cli import terminal
from mlxkit.cli.describe import reasons_text
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.records import tail
from mlxkit.pipeline.result import NOT_REACHED, UNCHANGED, Result, StageStopped
from mlxkit.pipeline.spec import Stage

if TYPE_CHECKING:
    from mlxkit.pipeline.session import Session

TAIL_SECONDS = 0.1
FAILURE_LINES = 20


def outcome_line(result: Result, width: int, *, stream: Any = None) -> str:
    """Say in one line what became of a stage; `width` is that of the longest name."""
    outcome = "stopped" if isinstance(result.error, StageStopped) else result.outcome
    word = terminal.styled(f"{outcome:<11}", terminal.OUTCOME_STYLES[result.outcome], stream)
    took = terminal.duration(result.seconds) if result.seconds else ""
    name = result.stage.address(os.getcwd())
    text = f"{word} {name:<{width}} {took:>10}  {reasons_text(result.reasons)}"
    return text.rstrip()


def failure_text(result: Result, stream: Any = None) -> list[str]:
    """Say why a stage failed: its error, its last lines, and how to run it alone."""
    assert result.error is not None
    error = result.error
    if isinstance(error, StageStopped):
        return []  # the user knows
    lines = [f"{terminal.styled('error:', 'red', stream)} {error}"]
    if result.log is not None:
        shown = [line for line in tail(result.log, FAILURE_LINES) if not line.startswith("+ ")]
        lines += [terminal.styled(f"  | {line}", "dim", stream) for line in shown]
        log = os.path.relpath(result.log)
        name = result.stage.address(os.getcwd())
        lines.append(
            f"{terminal.styled('hint:', 'cyan', stream)} all of its output: {log}; "
            f"run it alone: mlx repro -s {name}"
        )
    elif error.hint:
        lines.append(f"{terminal.styled('hint:', 'cyan', stream)} {error.hint}")
    return lines


class Silent:
    """Shows failures only."""

    def opened(self, session: "Session") -> None:
        pass

    def planned(self, stages: list[Stage]) -> None:
        pass

    def started(self, stage: Stage, reasons: list[Reason], log: str) -> None:
        pass

    def ended(self, result: Result) -> None:
        if result.error is not None:
            for line in failure_text(result, sys.stderr):
                terminal.note(line)

    def say(self, message: str) -> None:
        pass

    def confirm(self, stage: Stage) -> bool:
        return confirm(stage)

    def close(self) -> None:
        pass


class Mute(Silent):
    """Shows nothing: the JSON document tells all."""

    def ended(self, result: Result) -> None:
        pass

    def say(self, message: str) -> None:
        terminal.note(message)


class Plain(Silent):
    """A line when a stage starts (stderr) and when it ends (stdout)."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._width = 0
        self._follower = Follower() if verbose else None

    def planned(self, stages: list[Stage]) -> None:
        self._width = max((len(one.address(os.getcwd())) for one in stages), default=0)

    def started(self, stage: Stage, reasons: list[Reason], log: str) -> None:
        name = stage.address(os.getcwd())
        line = f"running     {name:<{self._width}} {'':>10}  {reasons_text(reasons)}"
        terminal.note(line.rstrip())
        if self._follower is not None:
            self._follower.add(name, log)

    def ended(self, result: Result) -> None:
        if self._follower is not None:
            self._follower.finish(result.stage.address(os.getcwd()))
        if result.outcome in (UNCHANGED, NOT_REACHED) and not self._verbose:
            return
        terminal.write(outcome_line(result, self._width))
        super().ended(result)

    def say(self, message: str) -> None:
        terminal.note(message)

    def close(self) -> None:
        if self._follower is not None:
            self._follower.close()


class Follower:
    """Repeats what running stages print, each line led by the stage's name."""

    def __init__(self) -> None:
        self._logs: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def add(self, name: str, log: str) -> None:
        with self._lock:
            self._logs[name] = (log, 0)

    def finish(self, name: str) -> None:
        with self._lock:
            self._show(name, last=True)
            self._logs.pop(name, None)

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._over.wait(TAIL_SECONDS):
            with self._lock:
                for name in list(self._logs):
                    self._show(name, last=False)

    def _show(self, name: str, *, last: bool) -> None:
        if name not in self._logs:
            return
        log, seen = self._logs[name]
        try:
            with open(log, "rb") as file:
                file.seek(seen)
                data = file.read()
        except FileNotFoundError:
            return
        end = len(data) if last else data.rfind(b"\n") + 1
        self._logs[name] = (log, seen + end)
        for line in data[:end].decode("utf-8", errors="replace").splitlines():
            terminal.note(f"{name} | {line}")


def confirm(stage: Stage) -> bool:
    """Ask on the terminal whether to run a stage."""
    sys.stderr.write(f"run stage '{stage.address(os.getcwd())}'? [y/n] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")

"""A run on a terminal: what is done scrolls up, what runs is drawn again and again below it."""

import os
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mlxkit.cli import terminal
from mlxkit.cli.progress import Silent, failure_text, outcome_line
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.records import tail
from mlxkit.pipeline.result import FAILED, NOT_REACHED, RAN, UNCHANGED, Result
from mlxkit.pipeline.spec import Stage

if TYPE_CHECKING:
    from rich.console import Group

    from mlxkit.cli.live_metrics import LiveMetrics
    from mlxkit.pipeline.session import Session


@dataclass(slots=True)
class _Row:
    name: str
    log: str
    began: float = field(default_factory=time.monotonic)


class LiveView(Silent):
    """A view that is redrawn in place: what is done scrolls up, what runs stays below."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(stderr=True, no_color=not terminal.colours(sys.stderr))
        self._rows: dict[str, _Row] = {}
        self._total = 0
        self._done = 0
        self._width = 0
        self._session: Session | None = None
        self._metrics: LiveMetrics | None = None
        self._live: Live = Live(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def opened(self, session: "Session") -> None:
        self._session = session

    def planned(self, stages: list[Stage]) -> None:
        self._total = len(stages)
        self._width = max((len(one.address(os.getcwd())) for one in stages), default=0)
        self._live.start()

    def started(self, stage: Stage, reasons: list[Reason], log: str) -> None:
        name = stage.address(os.getcwd())
        if self._metrics is None and self._session is not None:
            from mlxkit.cli.live_metrics import LiveMetrics

            self._metrics = LiveMetrics(self._session)
        if self._metrics is not None:
            self._metrics.started(name, stage)
        self._rows = {**self._rows, name: _Row(name, log)}

    def ended(self, result: Result) -> None:
        name = result.stage.address(os.getcwd())
        self._rows = {key: row for key, row in self._rows.items() if key != name}
        self._done += 1
        if result.outcome not in (UNCHANGED, NOT_REACHED):
            self._print(outcome_line(result, self._width, stream=sys.stderr))
        if self._metrics is not None:
            room = self._console.width, self._console.height
            for line in self._metrics.ended(name, *room, written=result.outcome == RAN):
                self._print(terminal.styled(line, "dim", sys.stderr))
        if result.outcome == FAILED:
            for line in failure_text(result, sys.stderr):
                self._print(line, wrap=not line.startswith("  |"))

    def say(self, message: str) -> None:
        self._print(message, wrap=True)

    def close(self) -> None:
        self._live.stop()

    def _print(self, line: str, *, wrap: bool = False) -> None:
        from rich.text import Text

        overflow: Literal["fold", "ellipsis"] = "fold" if wrap else "ellipsis"
        self._console.print(Text.from_ansi(line), overflow=overflow, no_wrap=not wrap)

    def _draw(self) -> "Group":
        from rich.console import Group
        from rich.text import Text

        rows = list(self._rows.values())
        room = self._console.width, self._console.height
        lines = []
        for row in rows:
            lines.append(self._row(row))
            if self._metrics is not None:
                shown = self._metrics.lines(row.name, len(rows), *room)
                lines += [Text(line, no_wrap=True) for line in shown]
        waiting = self._total - self._done - len(rows)
        summary = f"{self._done} done, {len(rows)} running, {waiting} waiting"
        lines.append(Text(summary, style="dim", overflow="ellipsis", no_wrap=True))
        return Group(*lines)

    def _row(self, row: _Row) -> Any:
        from rich.text import Text

        took = terminal.duration(time.monotonic() - row.began)
        last = [line for line in tail(row.log, 1) if not line.startswith("+ ")]
        text = Text(overflow="ellipsis", no_wrap=True)
        text.append(f"{'running':<11} ", style="blue")
        text.append(f"{row.name:<{self._width}} {took:>10}  ")
        text.append("".join(last), style="dim")
        return text

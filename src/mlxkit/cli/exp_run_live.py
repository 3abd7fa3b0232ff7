"""Experiments while they run, drawn in place at a terminal: a line each."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size

from mlxkit.cli import terminal
from mlxkit.cli.curves import curve
from mlxkit.cli.exp_run_show import Lines
from mlxkit.cli.terminal import printable, styled
from mlxkit.live.series import Series, order, plain_name
from mlxkit.metrics.preferences import Preference, preference_of

if TYPE_CHECKING:
    from mlxkit.experiments.sweepdir import Outcome, Plan, Run
    from mlxkit.pipeline.session import Session

Look = Callable[["Plan", "Run"], Sequence[Series]]
"""Tells what the metrics of a run that is running say."""
_REFRESH = 0.25
_CURVE = 12


@dataclass(slots=True)
class _Row:
    run: "Run"
    began: float
    doing: str = "getting ready"


class Live(Lines):
    """Besides, a line for each experiment that runs, drawn again and again at the end."""

    def __init__(self, look: Look, known: Mapping[str, Preference], main: str = "") -> None:
        """`main` is the metric that is shown, if it is there."""
        super().__init__(verbose=False)
        self.look = look
        self.known = known
        self.main = main
        self._rows: dict[str, _Row] = {}
        self._drawn = 0
        self._left = 0
        self.shown_plan: Plan | None = None

    def planned(self, plan: "Plan", jobs: int) -> None:
        super().planned(plan, jobs)
        self.shown_plan = plan
        self._left = len(plan.runs)

    def started(self, run: "Run") -> None:
        self._rows[run.name] = _Row(run, time.monotonic())

    def told(self, run: "Run", event: dict[str, Any]) -> None:
        if event["kind"] == "started":
            self._rows[run.name].doing = event["stage"]
        elif event["kind"] == "said":
            self._rows[run.name].doing = event["text"]

    def ended(self, run: "Run", outcome: "Outcome") -> None:
        self._rows.pop(run.name, None)
        self._left -= 1
        self._erase()
        super().ended(run, outcome)

    def tick(self) -> float | None:
        width, height = terminal.width(sys.stdout) - 1, terminal.height(sys.stdout)
        lines = [self._line_of(row, width) for row in self._rows.values()][: max(1, height - 2)]
        waiting = self._left - len(lines)
        if waiting > 0:
            lines.append(f"{waiting} to go")
        self._erase()
        sys.stdout.write("".join(f"{styled(_cut(line, width), 'dim')}\n" for line in lines))
        sys.stdout.flush()
        self._drawn = len(lines)
        return _REFRESH

    def close(self) -> None:
        self._erase()

    def _line_of(self, row: _Row, width: int) -> str:
        took = terminal.duration(time.monotonic() - row.began)
        name = row.run.name
        doing = f"{self.labels[name]}  {printable(row.doing)}".lstrip()
        text = f"running   {name:<{self.width}} {took:>10}  {doing}"
        return _cut(f"{text}  {self._metric(row.run, width - cell_len(text) - 2)}".rstrip(), width)

    def _metric(self, run: "Run", width: int) -> str:
        """Return the main metric in at most so many characters: with its curve, without, or not."""
        if self.shown_plan is None or width < 1:
            return ""
        series = order(self.look(self.shown_plan, run), self.known)
        if not series:
            return ""
        name = self.main.rpartition(":")[2]
        shown = next((one for one in series if plain_name(one.name) == name), series[0])
        preference = preference_of(plain_name(shown.name), self.known)
        for length in (_CURVE, _CURVE // 2, 0):
            text = curve(shown, preference, length, sys.stdout).rstrip()
            if cell_len(text) <= width:
                return text
        return ""

    def _erase(self) -> None:
        if self._drawn:
            sys.stdout.write(f"\r\033[{self._drawn}A\033[J")
            self._drawn = 0


def live_view(session: "Session", main: str) -> Live:
    """Return a view of a project's experiments."""
    from mlxkit.core.errors import ProjectError
    from mlxkit.experiments.watching import Experiments
    from mlxkit.metrics.preferences import load_preferences

    known: Mapping[str, Preference] = {}
    with suppress(ProjectError, OSError):  # not what this command is about
        known = load_preferences(session.root)
    watched = Experiments(session.root, session.declared)
    return Live(lambda plan, run: watched.of(plan, run).series, known, main)


def _cut(line: str, width: int) -> str:
    return set_cell_size(line, width) if cell_len(line) > width else line

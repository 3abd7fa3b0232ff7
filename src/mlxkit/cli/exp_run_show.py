"""How `mlx exp run` shows a sweep: while it goes, and what came of it."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlxkit.cli import terminal
from mlxkit.cli.terminal import printable

if TYPE_CHECKING:
    from mlxkit.experiments.sweepdir import Outcome, Plan, Run

STYLES = {"done": "green", "skipped": "dim", "failed": "red", "stopped": "yellow"}
WORDS = {"skipped": "was there"}
_LONGEST_LABEL = 60


class View:
    """Who shows a sweep; the ways to do so differ."""

    def planned(self, plan: "Plan", jobs: int) -> None:
        self.labels = dict(zip((one.name for one in plan.runs), labels(plan.runs), strict=True))
        self.width = max((len(one.name) for one in plan.runs), default=0)

    def started(self, run: "Run") -> None:
        pass

    def told(self, run: "Run", event: dict[str, Any]) -> None:
        pass

    def ended(self, run: "Run", outcome: "Outcome") -> None:
        pass

    def tick(self) -> float | None:
        return None

    def close(self) -> None:
        pass


class Silent(View):
    """Shows nothing: the JSON document, or the exit code, tells all."""


class Lines(View):
    """A line for each experiment that has ended."""

    def __init__(self, *, verbose: bool) -> None:
        self.verbose = verbose

    def planned(self, plan: "Plan", jobs: int) -> None:
        super().planned(plan, jobs)
        self.announce(plan, jobs)

    def announce(self, plan: "Plan", jobs: int) -> None:
        terminal.note(_beginning(plan, jobs))

    def told(self, run: "Run", event: dict[str, Any]) -> None:
        if event["kind"] == "said":
            terminal.note(f"{run.name}: {printable(event['text'])}")
        elif self.verbose and event["kind"] == "ended" and event["outcome"] != "unchanged":
            terminal.note(f"{run.name}: {event['outcome']:<10} {printable(event['stage'])}")

    def ended(self, run: "Run", outcome: "Outcome") -> None:
        terminal.write(self._line(run, outcome))
        sys.stdout.flush()

    def _line(self, run: "Run", outcome: "Outcome") -> str:
        word = WORDS.get(outcome.outcome, outcome.outcome)
        told = terminal.styled(f"{word:<9}", STYLES[outcome.outcome])
        took = terminal.duration(outcome.seconds)
        return f"{told} {run.name:<{self.width}} {took:>10}  {self.labels[run.name]}".rstrip()


def labels(runs: Sequence["Run"]) -> list[str]:
    """Say of each run what makes it different."""
    return value_labels([run.values for run in runs])


def value_labels(runs: Sequence[dict[str, dict[str, Any]]]) -> list[str]:
    """Put values by file and key into words, with names as short as they can be told apart."""
    keys = {(file, key) for run in runs for file, values in run.items() for key in values}
    names = _short(keys)
    found = []
    for run in runs:
        parts = [
            f"{names[file, key]}={_shown(value)}"
            for file, values in run.items()
            for key, value in values.items()
        ]
        text = printable(" ".join(parts))
        found.append(text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…")
    return found


def _beginning(plan: "Plan", jobs: int) -> str:
    count = terminal.counted(len(plan.runs), "experiment")
    together = f", {min(jobs, len(plan.runs))} at once" if min(jobs, len(plan.runs)) > 1 else ""
    return f"{count} from {plan.baseline[:7]}{together}"


def _short(keys: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return for each key its last part, with as many before as make it the only one."""
    found = {}
    for file, key in keys:
        parts = key.split(".")
        name = key
        for count in range(1, len(parts) + 1):
            name = ".".join(parts[-count:])
            same = [one for _, one in keys if f".{one}".endswith(f".{name}")]
            if len(same) == 1:
                break
        else:
            name = f"{file}:{key}"
        found[file, key] = name
    return found


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)

"""What came of the experiments that `mlx exp run` made."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlxkit.cli import terminal
from mlxkit.cli.exp_run_show import STYLES, WORDS
from mlxkit.cli.terminal import printable
from mlxkit.comparison.state import FileValues

if TYPE_CHECKING:
    from mlxkit.experiments.batch import Batch
    from mlxkit.experiments.best import Best
    from mlxkit.experiments.sweepdir import Outcome, Plan, Run

Metrics = Mapping[str, Mapping[str, FileValues]]
"""What metrics files say, by commit and path."""
_LAST_LINES = 10


def outcome_document(plan: "Plan", batch: "Batch", metrics: Metrics, ok: bool) -> dict[str, Any]:
    """Return what came of a sweep, for other programs."""
    listed = [
        {
            "name": run.name,
            "commit": one.commit or None,
            "baseline": plan.baseline,
            "params": run.values,
            "outcome": one.outcome,
            "metrics": _plain(metrics.get(one.commit)),
            "seconds": one.seconds,
            "stage_seconds": one.stage_seconds,
            "stages": one.stages or {},
            "log": one.log or None,
            "error": one.error or None,
        }
        for run, one in batch.outcomes
    ]
    failed = sum(one.outcome == "failed" for _, one in batch.outcomes)
    return {"ok": ok, "experiments": listed, "failed": failed, "sweep": plan.id}


def summary(
    plan: "Plan",
    batch: "Batch",
    best: "Best | None",
    seconds: float,
    *,
    quiet: bool,
) -> None:
    """Print what came of a sweep: failures with the ends of their logs, and how to go on."""
    for run, one in batch.outcomes:
        if one.outcome == "failed":
            show_failure(run, one)
    if quiet:
        return
    counts = [
        f"{sum(one.outcome == outcome for _, one in batch.outcomes)} {WORDS.get(outcome, outcome)}"
        for outcome in STYLES
        if any(one.outcome == outcome for _, one in batch.outcomes)
    ]
    terminal.write(f"{', '.join(counts)} in {terminal.duration(seconds)}{_each(batch)}")
    if best is not None:
        name = best.metric.rpartition(":")[2]
        terminal.write(f"best {printable(name)}: {best.value:.5g}, {best.result}")
    made = [run.name for run, one in batch.outcomes if one.commit]
    if batch.stopped:
        terminal.note("interrupted; to go on: mlx exp run --continue")
    elif any(one.outcome == "failed" for _, one in batch.outcomes):
        terminal.note("to run again what failed: mlx exp run --continue")
    if made:
        example = best.result if best is not None else made[0] if len(made) == 1 else "NAME"
        terminal.note(f"to compare: mlx exp show   to take one: mlx exp apply {example}")


def _plain(metrics: Mapping[str, FileValues] | None) -> dict[str, Any] | None:
    """Return the values of the files that could be read."""
    if metrics is None:
        return None
    return {path: one.values for path, one in metrics.items() if one.error is None}


def _each(batch: "Batch") -> str:
    """Say how long a run took, where several did something."""
    took = [one.seconds for _, one in batch.outcomes if one.outcome == "done"]
    return f", {terminal.duration(sum(took) / len(took))} a run" if len(took) > 1 else ""


def show_failure(run: "Run", one: "Outcome") -> None:
    first, *more = one.error.splitlines() or [""]
    terminal.note(f"{terminal.styled('error:', 'red', sys.stderr)} {run.name}: {printable(first)}")
    for line in _tail(one.log):
        terminal.note(terminal.styled(f"  | {printable(line)}", "dim", sys.stderr))
    hints = [*more, *([f"all of its output: {os.path.relpath(one.log)}"] if one.log else [])]
    for hint in hints:
        terminal.note(f"{terminal.styled('hint:', 'cyan', sys.stderr)} {printable(hint)}")


def _tail(log: str) -> list[str]:
    from mlxkit.pipeline.records import tail

    if not log:
        return []
    return [line for line in tail(log, _LAST_LINES) if not line.startswith("+ ")]

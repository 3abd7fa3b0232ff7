"""How the verdict of `mlx verify` is told."""

import os
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from mlxkit.cli import terminal
from mlxkit.proof.verify import Verdict
from mlxkit.proof.view import Problem

_SHOWN = 20
_NARROWEST = 30


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict as other programs read it."""
    return {
        "ok": verdict.ok,
        "commit": verdict.commit,
        "stages": verdict.stages,
        "problems": [problem_json(one) for one in verdict.problems],
        "unchecked": [problem_json(one) for one in verdict.unchecked],
    }


def problem_json(one: Problem) -> dict[str, str | None]:
    """Return a problem as other programs read it."""
    path = shown_path(one.path)
    return {"kind": one.kind, "stage": one.stage or None, "path": path or None, "why": one.why}


def show_verdict(verdict: Verdict, *, verbose: bool) -> None:
    """Say whether it fits, then what does not."""
    where = f" at {verdict.commit[:8]}" if verdict.commit else ""
    stages = terminal.counted(verdict.stages, "stage")
    if verdict.ok:
        terminal.write(f"{terminal.styled('verified', 'green')}{where}: {stages}")
    else:
        many = terminal.counted(len(verdict.problems), "problem")
        terminal.write(f"{terminal.styled('not verified', 'red')}{where}: {many}, {stages}")
        show_problems(verdict.problems, verbose=verbose)
    if not verdict.unchecked:
        return
    if verbose:
        terminal.write("not checked:")
        show_problems(verdict.unchecked, verbose=True)
    else:
        many = terminal.counted(len(verdict.unchecked), "path")
        terminal.note(f"hint: {many} could not be checked from here; -v shows which")


def show_problems(problems: Sequence[Problem], *, verbose: bool) -> None:
    """Show each problem: what it concerns, and below it why."""
    shown = problems if verbose else problems[:_SHOWN]
    for one in shown:
        named = [one.stage, shown_path(one.path)]
        kind = terminal.styled(f"{one.kind:<11}", "yellow")
        terminal.write(f"{kind} {'  '.join(part for part in named if part)}".rstrip())
        wrapped(one.why)
    if len(problems) > len(shown):
        terminal.write(f"... and {len(problems) - len(shown)} more (-v shows all)")


def wrapped(text: str, indent: str = "    ") -> None:
    """Write text below a line, in the width of the terminal."""
    plain = "".join(char if char.isprintable() else "�" for char in text)
    width = max(terminal.width(sys.stdout), _NARROWEST)
    for line in textwrap.wrap(
        plain, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    ):
        terminal.write(line)


def shown_path(path: str) -> str:
    """Return a path as seen from here; one far away as it is."""
    if not os.path.isabs(path):
        return path
    near = os.path.relpath(path)
    return path if near.count("..") > path.count(os.sep) else near

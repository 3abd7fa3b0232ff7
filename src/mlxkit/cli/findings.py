"""Shows what tracing and linting found, as text or as JSON."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from mlxkit.cli import terminal
from mlxkit.cli.terminal import printable
from mlxkit.pipeline.spec import Stage
from mlxkit.trace.findings import (
    BROKEN_SOURCE,
    ENV_VARIABLE,
    NAMED,
    NETWORK,
    UNDECLARED_IMPORT,
    UNDECLARED_INPUT,
    UNDECLARED_OUTPUT,
    UNUSED_DEP,
    Finding,
)
from mlxkit.trace.fix import Fixed

_TITLES = {
    UNDECLARED_INPUT: "undeclared input",
    UNDECLARED_IMPORT: "undeclared import",
    UNUSED_DEP: "unused dep",
    UNDECLARED_OUTPUT: "undeclared output",
    ENV_VARIABLE: "environment variable",
    NETWORK: "network",
    BROKEN_SOURCE: "broken source",
}


def finding_json(
    one: Finding, names: Mapping[str, str], fixed: Iterable[Finding]
) -> dict[str, Any]:
    """Return a finding as JSON; `names` are the stages' addresses by key."""
    what = {"name": one.what} if one.kind in NAMED else {"path": os.path.relpath(one.what)}
    return {
        "kind": one.kind,
        "stage": names[one.stage],
        **what,
        "why": one.why,
        "fixed": one in fixed,
    }


def show_findings(found: Iterable[Finding], fixed: Iterable[Finding]) -> None:
    """Print the findings of one stage, a line each."""
    rows = [
        (
            "added to deps" if one in fixed else _TITLES[one.kind],
            printable(one.what if one.kind in NAMED else os.path.relpath(one.what)),
            printable(one.why),
            "green" if one in fixed else "yellow",
        )
        for one in found
    ]
    width = max((len(row[0]) for row in rows), default=0)
    for title, what, why, style in rows:
        terminal.write(f"  {terminal.styled(title, style)}{' ' * (width - len(title))}  {what}")
        terminal.write(f"  {' ' * width}  {terminal.styled(why, 'dim')}")


def names_of(stages: Iterable[Stage]) -> dict[str, str]:
    """Return the stages' addresses, as seen from here, by key."""
    return {stage.key: stage.address(os.getcwd()) for stage in stages}


def sum_up(fixed: Fixed, open_ones: list[Finding], stages: int, *, failed: bool = False) -> None:
    """Print what was added, what is to be added by hand, and a line that sums up."""
    for path, count in fixed.files.items():
        terminal.write(f"{os.path.relpath(path)}: {terminal.counted(count, 'dep')} added")
    for told in fixed.by_hand:
        terminal.note(f"by hand: {printable(told)}")
    if open_ones:
        findings = terminal.counted(len(open_ones), "finding")
        terminal.write(f"{findings} in {terminal.counted(stages, 'stage')}")
        if not fixed and any(one.addable for one in open_ones):
            terminal.note("hint: --fix adds the missing deps to dvc.yaml")
    elif not fixed.added and not failed:
        terminal.write(f"nothing found in {terminal.counted(stages, 'stage')}")

"""How `mlx gc` shows its plan, asks, and tells what it did."""

import os
import sys
from typing import Any, NamedTuple

import typer

from mlxkit.cli import terminal
from mlxkit.core.errors import MlxError
from mlxkit.data.gc.collect import (
    IN_DOUBT,
    LEFTOVER,
    OUT_OF_SCOPE,
    RUN_RECORD,
    UNREFERENCED,
    YOUNG,
    Group,
    Item,
    Plan,
    grouped,
)

_WORDS = {
    UNREFERENCED: "nothing refers to it",
    OUT_OF_SCOPE: "needed only outside of what you chose to keep",
    RUN_RECORD: "needed only by a run record",
    LEFTOVER: "left by a killed process or a finished sweep",
    YOUNG: "kept: not needed, but too young",
    IN_DOUBT: "kept: may belong to a folder whose list is missing",
}


class Show(NamedTuple):
    as_json: bool
    quiet: bool
    verbose: bool


def agreed(plan: Plan, show: Show) -> bool:
    """Ask where somebody can answer."""
    if show.as_json or show.quiet or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    size = terminal.size(sum(item.file.size for item in plan.remove))
    count = terminal.counted(len(plan.remove), "file")
    sys.stdout.flush()
    return typer.confirm(f"Delete {count} ({size}) for good?", err=True)


def how(no: MlxError | None) -> str:
    if no:
        return f"nothing was deleted: {no.message}\nhint: {no.hint}"
    return "nothing was deleted; to do it, say: --yes"


def show_plan(plan: Plan, show: Show) -> None:
    if show.as_json or show.quiet:
        return
    if show.verbose:
        for item in [*plan.remove, *plan.held]:
            what = item.name or os.path.relpath(item.file.path)
            terminal.write(f"{what:<36}  {terminal.size(item.file.size):>8}  {_WORDS[item.reason]}")
    groups = grouped([*plan.remove, *plan.held])
    counts = [(_WORDS[one.reason], f"{one.objects:,}", terminal.size(one.size)) for one in groups]
    width = max((len(words) for words, _, _ in counts), default=0)
    for words, objects, size in counts:
        terminal.write(f"{words:<{width}}  {objects:>9}  {size:>8}")
    if plan.lost:
        name, where = next(iter(plan.lost.items()))
        many = terminal.counted(len(plan.lost), "folder")
        terminal.note(
            f"warning: the list of {many} is not in the cache, such as {name} ({where}); "
            "fetch it (mlx fetch -A), or say --ignore-missing"
        )
    if plan.strangers and show.verbose:
        terminal.write(f"left alone: {terminal.counted(plan.strangers, 'file')} that is no object")
    if not plan.remove:
        terminal.write(f"nothing to delete; {terminal.counted(plan.kept, 'object')} in the cache")


def finish(plan: Plan, done: Group | None, show: Show) -> None:
    if show.as_json:
        terminal.write_json(
            {
                "removed": done.objects if done else 0,
                "bytes": done.size if done else 0,
                "kept": plan.kept if done else plan.total,
                "plan": _groups(plan.remove),
                "held": _groups(plan.held),
                "lost": sorted(plan.lost),
                "done": done is not None,
            }
        )
    elif done is not None and plan.remove and not show.quiet:
        leftovers = terminal.counted(len(plan.remove), "leftover")
        count = terminal.counted(done.objects, "object") if done.objects else leftovers
        terminal.write(f"deleted {count}, {terminal.size(done.size)}; {plan.kept} stay")


def _groups(items: list[Item]) -> list[dict[str, Any]]:
    return [
        {"reason": one.reason, "objects": one.objects, "bytes": one.size} for one in grouped(items)
    ]

"""Puts into the audit log what `mlx gc` deleted."""

import os
from collections.abc import Mapping
from typing import Any

from mlxkit.cli.report import report
from mlxkit.core.errors import MlxError
from mlxkit.data.gc.collect import LEFTOVER, Group, Plan
from mlxkit.tools import git


def note_collected(root: str, git_root: str | None, plan: Plan, done: Group | None) -> bool:
    """Note what was deleted of a plan, all of it or not; True where that worked.

    `done` is None where something stopped it half-way: then what is gone is counted.
    """
    if done is None:
        gone = [one for one in plan.remove if not os.path.lexists(one.file.path)]
        objects = sum(one.reason != LEFTOVER for one in gone)
        done = Group("removed", objects, sum(one.file.size for one in gone))
    if not done.objects and not done.size:
        return True
    what = {"cloud": False, "objects": done.objects, "bytes": done.size}
    return _note(root, git_root, what)


def note_dvc(root: str, arguments: list[str], code: int) -> bool:
    """Note that DVC was told to delete, which does not say what it deleted."""
    remote = arguments[arguments.index("--remote") + 1] if "--remote" in arguments else None
    what = {
        "cloud": "--cloud" in arguments,
        "remote": remote,
        "objects": None,
        "bytes": None,
        "arguments": arguments,
        "exit_code": code,
    }
    return _note(root, git.find_root(root), what)


def _note(root: str, git_root: str | None, what: Mapping[str, Any]) -> bool:
    if git_root is None:
        return True  # a project without Git has no log
    from mlxkit.audit.event import Kind
    from mlxkit.audit.log import append

    project = os.path.relpath(root, os.path.realpath(git_root))
    try:
        append(git_root, Kind.GC, {"project": "" if project == "." else project, **what})
    except (MlxError, OSError) as error:
        why, hint = str(error), "free space or correct permissions: the next one is noted"
        if isinstance(error, MlxError):
            hint = error.hint or hint
        elif error.strerror:
            why = error.strerror
        report("failed", f"this deletion is not in the audit log: {why}", hint, None, as_json=False)
        return False
    return True

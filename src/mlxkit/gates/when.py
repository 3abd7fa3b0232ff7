"""`when:`, which says where a rule applies: branch, event, and what changed.

A rule is skipped only where it is known that it does not apply. A branch that nobody can tell, or
a base that is not here, is no reason to skip one.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from mlxkit.gates.context import Context, Occasion
from mlxkit.tools import git

LOCAL = "local"
"""The event outside of CI."""


def why_skipped(when: Mapping[str, Any] | None, context: Context) -> str:
    """Say why a rule does not apply; empty where it does. Raises Unjudged for a base not here."""
    if when is None:
        return ""
    occasion = context.occasion()
    branches, events, paths = when["branches"], when["events"], when["paths"]
    if branches and occasion.branch is not None and not fits(occasion.branch, branches):
        return f"only for branch {_or(branches)}: this is {occasion.branch}"
    if events and not fits(occasion.event, events):
        return f"only for event {_or(events)}: this is {occasion.event}"
    if paths:
        base = context.against(when)
        changed = context.subject.changed_since(base)
        if not any(fits(path, paths) for path in changed):
            return f"only where {_or(paths)} changed: it did not since {base.name}"
    return ""


def fits(name: str, patterns: Sequence[str]) -> bool:
    """Tell whether one of the patterns fits; one with / at its end stands for all below."""
    return any(fnmatchcase(name, one + "*" if one.endswith("/") else one) for one in patterns)


def occasion_of(git_root: str | None, rev: str | None) -> Callable[[], Occasion]:
    """Return what finds out the occasion, of the working tree or a revision."""

    def find() -> Occasion:
        event = os.environ.get("MLX_EVENT") or os.environ.get("GITHUB_EVENT_NAME") or LOCAL
        return Occasion(_branch(git_root, rev), event)

    return find


def _branch(git_root: str | None, rev: str | None) -> str | None:
    if git_root is None:
        return None
    if rev is None:
        return _checked_out(git_root) or _of_ci()
    found = git.run(git_root, "rev-parse", "--symbolic-full-name", rev, ok=(0, 128))
    full = os.fsdecode(found).strip()
    if full.startswith("refs/heads/"):
        return full.removeprefix("refs/heads/")
    if full.startswith("refs/remotes/"):
        return full.removeprefix("refs/remotes/").partition("/")[2]
    return (_checked_out(git_root) or _of_ci()) if rev == "HEAD" else None


def _checked_out(git_root: str) -> str | None:
    found = git.run(git_root, "symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1, 128))
    return os.fsdecode(found).strip() or None


def _of_ci() -> str | None:
    """Return the branch that GitHub's workflow is of: it checks out a commit, no branch."""
    if os.environ.get("GITHUB_REF_TYPE") == "tag":
        return None
    return os.environ.get("GITHUB_HEAD_REF") or os.environ.get("GITHUB_REF_NAME") or None


def _or(names: Sequence[str]) -> str:
    return " or ".join(names)

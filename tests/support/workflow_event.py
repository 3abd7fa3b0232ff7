"""What happens to a repository on GitHub, and which workflows it starts."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .expressions import NotUnderstood

_EVENTS = {"push", "pull_request", "workflow_dispatch", "schedule"}


@dataclass(frozen=True)
class Event:
    """What happened: a name of GitHub's, the ref and commit it is about, and its document."""

    name: str
    ref: str
    sha: str
    document: Mapping[str, Any]
    fork: bool = False


def triggered(on: Mapping[str, Any], event: Event) -> bool:
    """Tell whether an event starts a workflow with this `on`."""
    known(on, _EVENTS)
    if event.name not in on:
        return False
    wanted = on[event.name]
    if event.name != "push":
        if event.name != "schedule" and wanted is not None:
            raise NotUnderstood(f"on {event.name}: {wanted}")
        return True
    known(wanted, {"branches", "tags"})
    kind, name = event.ref.removeprefix("refs/").split("/", 1)
    patterns = wanted.get("branches" if kind == "heads" else "tags", [])
    return any(re.fullmatch(_pattern(one), name) for one in patterns)


def _pattern(pattern: str) -> str:
    """A filter as a regular expression: `**` is anything, `*` is anything but a slash."""
    if re.search(r"[?+\[\]!\\]", pattern):
        raise NotUnderstood(f"pattern {pattern}")
    parts = re.split(r"(\*\*|\*)", pattern)
    signs = {"**": ".*", "*": "[^/]*"}
    return "".join(signs.get(one) or re.escape(one) for one in parts)


def known(part: Mapping[Any, Any], known: Iterable[Any]) -> None:
    """Refuse keys that nobody here knows."""
    extra = set(part) - set(known)
    if extra:
        raise NotUnderstood(f"not understood: {sorted(map(str, extra))}")

"""The last version before that a gate let pass: which commit's data a shift is measured against."""

from collections.abc import Callable, Sequence

from mlxkit.gates.bench import Subject
from mlxkit.gates.keep import Kept, Place, newest, records
from mlxkit.gates.override import in_force
from mlxkit.gates.verdict import Unjudged
from mlxkit.tools import git


def finder(
    place: Place | None, subject: Subject, at: Callable[[str], Subject]
) -> Callable[[str, str], Subject | None]:
    """Return the function that finds, for a gate and a path, what was accepted last before."""

    def find(gate: str, path: str) -> Subject | None:
        if place is None:
            return None
        here = subject.commit or git.commit_id(place.git_root, "HEAD")
        if here is None:
            return None
        for commit in _accepted(place, gate, here):
            base = at(commit[:12])
            # A commit is held to what was before it, and so is the working tree that is like it.
            itself = commit == here and (
                subject.commit is not None or base.data(path).md5 == subject.data(path).md5
            )
            if not itself:
                return base
        return None

    return find


def _accepted(place: Place, gate: str, start: str) -> list[str]:
    """Return the commits of a history that the gate let pass, the newest first; raises Unjudged."""
    by_commit: dict[str, list[Kept]] = {}
    for one in records(place):
        if one.gate == gate:
            by_commit.setdefault(one.commit, []).append(one)
    commits = {commit for commit, kept in by_commit.items() if _passed(kept, commit, gate)}
    if not commits:
        return []
    history = git.run(place.git_root, "rev-list", start, "--").decode("ascii").split()
    found = [one for one in history if one in commits]
    shallow = git.run(place.git_root, "rev-parse", "--is-shallow-repository").strip() == b"true"
    if not found and shallow:
        raise Unjudged(
            "what was accepted before is not in this shallow clone: git fetch --unshallow"
        )
    return found


def _passed(known: Sequence[Kept], commit: str, gate: str) -> bool:
    """Tell whether the newest verdict passed, or was let through by an override."""
    verdict = newest(known, "verdict", commit, gate)
    if verdict is None:
        return False
    return verdict.what.get("passed") is True or in_force(known, commit, gate) is not None

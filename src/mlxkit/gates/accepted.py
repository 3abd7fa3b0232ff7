"""The last version before that a gate let pass: which commit's data a shift is measured against."""

from collections.abc import Callable, Mapping, Sequence

from mlxkit.gates.context import Subject
from mlxkit.gates.evaluate import Rule
from mlxkit.gates.ledger import Kept, Place, newest, records
from mlxkit.gates.override import in_force, must_be_signed
from mlxkit.gates.verdict import Unjudged
from mlxkit.gates.vouched import doubts
from mlxkit.tools import git


def finder(
    place: Place | None,
    subject: Subject,
    at: Callable[[str], Subject],
    rules: Mapping[str, Sequence[Rule]],
) -> Callable[[str, str], Subject | None]:
    """Return the function that finds, for a gate and a path, what was accepted last before.

    `rules` are those of each gate.
    """

    def find(gate: str, path: str) -> Subject | None:
        if place is None:
            return None
        here = subject.commit or git.commit_id(place.git_root, "HEAD")
        if here is None:
            return None
        for commit in _accepted(place, gate, rules[gate], here):
            base = at(commit[:12])
            # A commit is held to what was before it, and so is the working tree that is like it.
            itself = commit == here and (
                subject.commit is not None or base.data(path).md5 == subject.data(path).md5
            )
            if not itself:
                return base
        return None

    return find


def _accepted(place: Place, gate: str, rules: Sequence[Rule], start: str) -> list[str]:
    """Return the commits of a history that the gate let pass, the newest first; raises Unjudged."""
    known = [one for one in records(place) if one.gate == gate]
    why = doubts(place, known, signed=must_be_signed(rules))
    commits = _commits([one for one in known if one.id not in why], gate)
    doubtful = _commits(known, gate) - commits
    if not commits | doubtful:
        return []
    history = git.run(place.git_root, "rev-list", start, "--").decode("ascii").split()
    found = [one for one in history if one in commits]
    if not found and doubtful & set(history):
        raise Unjudged(f"what was accepted before is not sure: {next(iter(why.values()))}")
    shallow = git.run(place.git_root, "rev-parse", "--is-shallow-repository").strip() == b"true"
    if not found and shallow:
        raise Unjudged(
            "what was accepted before is not in this shallow clone: git fetch --unshallow"
        )
    return found


def _commits(known: Sequence[Kept], gate: str) -> set[str]:
    """Return the commits that the gate let pass by these records."""
    by_commit: dict[str, list[Kept]] = {}
    for one in known:
        by_commit.setdefault(one.commit, []).append(one)
    return {commit for commit, kept in by_commit.items() if accepts(kept, commit, gate)}


def accepts(known: Sequence[Kept], commit: str, gate: str) -> bool:
    """Tell whether the newest verdict passed, or was let through by an override.

    Where `when` skipped the rule about shift, nobody looked at the data, and nothing was accepted.
    """
    verdict = newest(known, "verdict", commit, gate)
    if verdict is None:
        return False
    said = [one["verdict"] for one in verdict.what["verdicts"] if one["rule"] == "shift"]
    seen = not said or any(one != "skipped" for one in said)
    return (verdict.what["passed"] and seen) or in_force(known, commit, gate) is not None

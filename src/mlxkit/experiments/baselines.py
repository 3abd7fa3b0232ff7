"""Which commits and experiments a user means, by DVC's options and in DVC's order."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from mlxkit.core.errors import UsageError
from mlxkit.experiments.refs import Experiment, find_experiment, list_experiments, named, only
from mlxkit.tools import git
from mlxkit.versions.find import commit_named


class Wanted(NamedTuple):
    """What was asked for: commits (`HEAD` by default) and how many before each; or all.

    A negative `num` is all of a commit's first parents.
    """

    revs: Sequence[str] = ()
    num: int = 1
    branches: bool = False
    tags: bool = False
    commits: bool = False


def resolve(git_root: str, rev: str) -> str:
    """Return the commit that a revision, a model's stage, or an experiment's name stands for.

    Raises UsageError for neither.
    """
    found = commit_named(git_root, rev)
    if found is not None:
        return found
    try:
        return find_experiment(git_root, rev).commit
    except UsageError as error:
        if "names" in error.message:
            raise
        raise UsageError(
            f"'{rev}' is neither a revision nor an experiment", hint=error.hint
        ) from None


def baselines(git_root: str, wanted: Wanted) -> list[str]:
    """Return the ids of the commits in question, each once; none before the first commit.

    Raises UsageError for a revision that is none.
    """
    head = git.commit_id(git_root, "HEAD")
    if head is None:
        return []
    anything = wanted.branches or wanted.tags or wanted.commits
    revs = list(wanted.revs) or ([] if anything else ["HEAD"])
    revs = [head if rev == "HEAD" else rev for rev in revs]
    found = [one for rev in revs for one in _with_parents(git_root, rev, wanted.num, head)]
    if wanted.commits:
        found += _words(git_root, "rev-list", "HEAD", "--branches", "--remotes", "--tags")
    else:
        if wanted.branches:
            for tip in _tips(git_root, "refs/heads"):
                found += _with_parents(git_root, tip, wanted.num, tip)
        if wanted.tags:
            found += _tips(git_root, "refs/tags")
    return list(dict.fromkeys(found))


def names(git_root: str) -> dict[str, str]:
    """Return, by commit, the name of a branch or tag that leads to it.

    The branch that is checked out comes first, then tags, then other branches.
    """
    fields = "%(HEAD) %(objectname) %(*objectname) %(refname)"
    told = git.run(git_root, "for-each-ref", f"--format={fields}", "refs/heads", "refs/tags")
    found: dict[str, dict[str, str]] = {"refs/tags/": {}, "refs/heads/": {}}
    checked_out = {}
    for line in told.split(b"\n"):
        is_head, (own, _, rest) = line[:1] == b"*", os.fsdecode(line)[2:].partition(" ")
        peeled, _, ref = rest.partition(" ")
        if is_head:
            checked_out = {own: ref.removeprefix("refs/heads/")}
        for kind, known in found.items():
            if ref.startswith(kind):
                known.setdefault(peeled or own, ref.removeprefix(kind))
    return found["refs/heads/"] | found["refs/tags/"] | checked_out


def chosen(
    git_root: str,
    what: Sequence[str],
    wanted: Wanted,
    known: Sequence[Experiment] | None = None,
) -> list[Experiment]:
    """Return the experiments that are named; without names, those made from the wanted commits.

    `known` are those to choose from, all of this repository by default. Raises UsageError for a
    name of none, or of several.
    """
    every = list_experiments(git_root) if known is None else list(known)
    if what:
        found = [_one(git_root, every, name) for name in what]
        return list(dict.fromkeys(found))
    if wanted.commits:
        return every
    commits = set(baselines(git_root, wanted))
    return [one for one in every if one.baseline in commits]


def _one(git_root: str, every: Sequence[Experiment], what: str) -> Experiment:
    found = named(every, what)
    if len(found) > 1:
        head = git.commit_id(git_root, "HEAD")
        found = [one for one in found if one.baseline == head] or found
    return only(found, what, every)


def _with_parents(git_root: str, rev: str, num: int, known: str) -> list[str]:
    """Return a commit and those before it; `known` is one that need not be looked up."""
    if num == 0:
        return []
    commit = rev if rev == known else resolve(git_root, rev)
    if num == 1:
        return [commit]
    limit = [f"--max-count={num}"] if num > 0 else []
    return _words(git_root, "rev-list", "--first-parent", *limit, commit)


def _tips(git_root: str, under: str) -> list[str]:
    """Return the commits that references lead to, in the order of their names."""
    fields = "%(objecttype) %(objectname) %(*objecttype) %(*objectname)"
    told = git.run(git_root, "for-each-ref", f"--format={fields}", under).decode("ascii")
    found = []
    for line in told.splitlines():
        words = line.split()
        kind, commit = words[-2:]
        if kind == "commit":
            found.append(commit)
    return found


def _words(git_root: str, *args: str) -> list[str]:
    return git.run(git_root, *args).decode("ascii").split()

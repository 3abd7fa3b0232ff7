"""What a user names: revisions, branches, tags, commits, experiments; named as DVC does."""

import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mlxkit.comparison.states import WORKSPACE
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.tools import git
from mlxkit.versions.find import commit_named

_HINT = "see: git log --oneline --all"


class Revision(NamedTuple):
    """A commit under the name that it was asked by (several, with commas); None: the files here."""

    name: str
    commit: str | None


def choose(
    git_root: str | None,
    revs: Sequence[str] = (),
    *,
    branches: bool = False,
    tags: bool = False,
    commits: bool = False,
) -> list[Revision]:
    """Return what to look at, the working tree first; only that, unnamed, if nothing is asked.

    A commit that is named several times is there once. Raises UsageError for what is no revision.
    """
    if not (revs or branches or tags or commits):
        return [Revision("", None)]
    if git_root is None:
        raise UsageError("without Git there are no revisions", hint="see: dvc config core.no_scm")
    named = [one for one in revs if one != WORKSPACE]
    pairs = list(zip(resolve(git_root, named), named, strict=True))
    if commits:
        pairs += [(one, one) for one in _all_commits(git_root)]
    else:
        pairs += _refs(git_root, "refs/heads/") if branches else []
        pairs += _refs(git_root, "refs/tags/") if tags else []
    grouped: dict[str, dict[str, None]] = {}
    for commit, name in pairs:
        grouped.setdefault(commit, {})[name] = None
    found = [Revision(",".join(names), commit) for commit, names in grouped.items()]
    return [Revision(WORKSPACE, None), *found]


def resolve(git_root: str, revs: Sequence[str], folder: str = "") -> list[str]:
    """Return the commits of revisions, experiments and models (`census#prod`).

    `folder` is that of the project, whose models need no prefix. Raises UsageError.
    """
    quick = _ask(git_root, revs)
    return [
        found or _resolve(git_root, rev, folder) for rev, found in zip(revs, quick, strict=True)
    ]


def active_branch(git_root: str) -> str | None:
    """Return the branch that is checked out, None for none."""
    told = git.run(git_root, "symbolic-ref", "--quiet", "HEAD", ok=(0, 1, 128))
    ref = os.fsdecode(told.strip())
    return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None


def has_commits(git_root: str) -> bool:
    """Tell whether the branch that is checked out has a commit."""
    return bool(_ask(git_root, ["HEAD"])[0])


def _ask(git_root: str, revs: Sequence[str]) -> list[str]:
    """Ask Git for all at once; an empty text for what it does not know by such a question."""
    plain = [one if one.isprintable() and one else "!" for one in revs]
    given = "".join(f"{one}^{{commit}}\n" for one in plain).encode("utf-8", "surrogateescape")
    ask = ("cat-file", "--batch-check")  # which gives up at HEAD@{99}
    told = git.run(git_root, *ask, stdin=given, ok=(0, 128)).splitlines() if revs else []
    if len(told) != len(revs):
        return [""] * len(revs)
    words = [line.split() for line in told]
    return [
        one[0].decode("ascii") if len(one) == 3 and one[1] == b"commit" else "" for one in words
    ]


def _resolve(git_root: str, rev: str, folder: str) -> str:
    """Return the commit of what is not plain: an experiment, a remote's branch, NAME#STAGE."""
    found = git.commit_id(git_root, rev)
    if found is not None:
        return found
    if rev and not set(rev) & set("*?[\\ ") and rev.isprintable():
        for pattern in (f"refs/exps/*/*/{rev}", f"refs/remotes/*/{rev}"):
            commits = _by_pattern(git_root, pattern)
            if len(set(commits.values())) == 1:
                return next(iter(commits.values()))
            if commits:
                return _of_this_commit(git_root, rev, commits)
        of_model = commit_named(git_root, rev, folder)
        if of_model is not None:
            return of_model
    raise UsageError(f"'{rev}' is no revision of this repository", hint=_HINT)


def _of_this_commit(git_root: str, rev: str, commits: dict[str, str]) -> str:
    """Of several experiments with one name, return that of the current commit."""
    head = git.commit_id(git_root, "HEAD") or ""
    ours = commits.get(f"refs/exps/{head[:2]}/{head[2:]}/{rev}")
    if ours is None:
        raise UsageError(
            f"'{rev}' names {len(commits)} commits", hint=f"name one in full: {min(commits)}"
        )
    return ours


def _by_pattern(git_root: str, pattern: str) -> dict[str, str]:
    told = git.run(git_root, "for-each-ref", "--format=%(objectname) %(refname)", pattern)
    lines = (os.fsdecode(line).partition(" ") for line in told.splitlines())
    return {ref: oid for oid, _, ref in lines}


def _refs(git_root: str, under: str) -> list[tuple[str, str]]:
    """Return commits and short names of all references below, sorted by name."""
    fields = "%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)"
    told = git.run(git_root, "for-each-ref", f"--format={fields}", under)
    found = []
    for line in told.splitlines():
        kind, oid, inner_kind, inner, ref = os.fsdecode(line).split(" ", 4)
        commit = inner if inner_kind == "commit" else oid if kind == "commit" else ""
        if commit:
            found.append((commit, ref[len(under) :]))
    return found


def _all_commits(git_root: str) -> Iterable[str]:
    """Return all commits of branches and tags, here and of remotes, the newest first."""
    every = ("--branches", "--remotes", "--tags")
    try:
        told = git.run(git_root, "rev-list", "--date-order", "HEAD", *every)
    except MlxError:  # no commit yet where we are
        told = git.run(git_root, "rev-list", "--date-order", *every)
    return told.decode("ascii").split()

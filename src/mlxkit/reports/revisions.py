"""Which two revisions a report is about."""

import os

from mlxkit.comparison.revisions import active_branch, has_commits, resolve
from mlxkit.core.errors import ProjectError, UsageError
from mlxkit.reports.changes import End
from mlxkit.tools import git

_NAMES = ("main", "master")


def head_of(git_root: str, rev: str | None, folder: str = "") -> End:
    """Return what the report is of: `rev`, or HEAD, or the working tree where files differ.

    `folder` is the project's. Raises UsageError for what is no revision, ProjectError where nothing
    is committed.
    """
    if rev is not None:
        commit = commit_of(git_root, rev, folder)
        return End(rev, commit, subject_of(git_root, commit))
    if not has_commits(git_root):
        raise ProjectError("nothing is committed yet", hint="commit the project, then report on it")
    dirty = git.changed(git_root)
    commit = commit_of(git_root, "HEAD")
    if dirty:
        return End("the working tree", None, dirty=dirty)
    return End(active_branch(git_root) or "HEAD", commit, subject_of(git_root, commit))


def base_of(
    git_root: str, base: str | None, head: End, folder: str = "", *, follows: bool
) -> tuple[End | None, str]:
    """Return what to compare with, and what is to be said of the choice.

    Where none is named: where the branch left the default branch, or the commit before. `follows`
    tells that `head` is what is checked out. Raises UsageError for what is no revision.
    """
    if base is not None:
        commit = commit_of(git_root, base, folder)
        return End(base, commit, subject_of(git_root, commit)), ""
    here = head.commit or commit_of(git_root, "HEAD")
    found = _fork(git_root, here, active_branch(git_root) if follows else None)
    if found is not None:
        return End(found[0], found[1], subject_of(git_root, found[1])), ""
    if head.commit is None:  # nothing but what is not committed
        return End("HEAD", here, subject_of(git_root, here)), ""
    before = git.commit_id(git_root, f"{here}~1")
    if before is None:
        return None, _first(git_root)
    return End(f"{head.name}~1", before, subject_of(git_root, before)), ""


def _fork(git_root: str, here: str, branch: str | None) -> tuple[str, str] | None:
    """Return where the branch left the default branch; None on the default branch itself."""
    for name in _default_branches(git_root):
        tip = git.commit_id(git_root, name)
        if tip is None:
            continue
        short = name.removeprefix("refs/remotes/").removeprefix("refs/heads/")
        if branch is not None and branch == short.removeprefix("origin/"):
            return None
        fork = _merge_base(git_root, tip, here)
        if fork is None or fork == here:
            return None
        return (short if fork == tip else f"{short}, where the branch left it"), fork
    return None


def commit_of(git_root: str, rev: str, folder: str = "") -> str:
    """Return the commit that a name stands for; raises UsageError."""
    try:
        return resolve(git_root, [rev], folder)[0]
    except UsageError as error:
        hint = "a shallow clone? run: git fetch --unshallow" if _shallow(git_root) else error.hint
        raise UsageError(error.message, hint=hint) from None


def subject_of(git_root: str, commit: str) -> str:
    """Return the first line of a commit's message."""
    told = git.run(git_root, "log", "-1", "--no-show-signature", "--format=%s", commit)
    return told.decode(errors="replace").strip()


def _default_branches(git_root: str) -> list[str]:
    """Return the full names of what may be the default branch, the likeliest first."""
    told = git.run(git_root, "symbolic-ref", "--quiet", "refs/remotes/origin/HEAD", ok=(0, 1, 128))
    remote = [os.fsdecode(told.strip())] if told.strip() else []
    return [
        *remote,
        *(f"refs/remotes/origin/{name}" for name in _NAMES),
        *(f"refs/heads/{name}" for name in _NAMES),
    ]


def _merge_base(git_root: str, one: str, other: str) -> str | None:
    told = git.run(git_root, "merge-base", one, other, ok=(0, 1, 128)).decode("ascii").split()
    return told[0] if told else None


def _first(git_root: str) -> str:
    if _shallow(git_root):
        return "this clone begins here: to compare, fetch more (git fetch --unshallow)"
    return "this is the first commit: there is nothing to compare with"


def _shallow(git_root: str) -> bool:
    told = git.run(git_root, "rev-parse", "--is-shallow-repository", ok=(0, 128))
    return told.strip() == b"true"

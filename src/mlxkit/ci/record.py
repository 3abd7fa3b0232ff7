"""What `mlx repro` wrote and Git does not have yet: found, and committed."""

import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mlxkit.core.errors import MlxError, ProjectError
from mlxkit.pipeline.session import Session
from mlxkit.tools import git


class Changes(NamedTuple):
    """Paths from the repository's top: `ours` belong into a commit, `others` are left alone."""

    ours: Sequence[str]
    others: Sequence[str]


def find_changes(session: Session) -> Changes:
    """Return what differs from HEAD, by whether a run of the pipeline writes it. Raises MlxError.

    That is: lock files, `.dvc` files, `.gitignore`, and outputs that Git keeps (`cache: false`).
    """
    root = _root(session)
    kept = [
        os.path.relpath(out.abs, root)
        for stage in session.declared.stages
        for out in stage.outs
        if not out.cache
    ]
    locks = {os.path.relpath(one.lock_path, root) for one in session.declared.stages}
    ours: list[str] = []
    others: list[str] = []
    for path in _changed(root):
        (ours if _is_ours(path, locks, kept) else others).append(path)
    return Changes(ours, others)


def commit_changes(session: Session, changes: Changes, message: str) -> str:
    """Commit these paths, nothing else, and return the commit's id; raises MlxError."""
    root = _root(session)
    listed = b"\0".join(os.fsencode(path) for path in changes.ours)
    given = ("--pathspec-from-file=-", "--pathspec-file-nul")
    literal = {"GIT_LITERAL_PATHSPECS": "1"}
    git.run(root, "add", *given, stdin=listed, env=literal)
    # `--only`: what a person has staged besides stays staged.
    words = ("commit", "--quiet", "--only", "-m", message)
    git.run(root, *words, *given, stdin=listed, env=literal)
    found = git.commit_id(root, "HEAD")
    if found is None:
        raise MlxError("git commit made no commit")
    return found


def _root(session: Session) -> str:
    if session.git_root is None:
        raise ProjectError("the project is not in a Git repository", hint="run: git init")
    return session.git_root


def _changed(root: str) -> list[str]:
    told = git.run(
        root,
        *("--no-optional-locks", "status", "--porcelain=v1", "-z", "--untracked-files=all"),
        *("--no-renames", "--ignore-submodules=all"),
    )
    return sorted(os.fsdecode(one[3:]) for one in told.split(b"\0") if one)


def _is_ours(path: str, locks: Iterable[str], kept: Iterable[str]) -> bool:
    name = os.path.basename(path)
    if name == ".gitignore" or (name.endswith(".dvc") and name != ".dvc") or path in locks:
        return True
    return any(path == one or path.startswith(f"{one}/") for one in kept)

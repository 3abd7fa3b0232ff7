"""Opens the project that a model is of: here, in another folder, or, without files, laid out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlxkit.cli import terminal
from mlxkit.cli.reading import reading
from mlxkit.core.errors import ProjectError
from mlxkit.project import find_root, open_project
from mlxkit.tools import git

if TYPE_CHECKING:
    from mlxkit.pipeline.session import Session
    from mlxkit.versions.find import Chosen


@contextmanager
def holding(what: str, *, gone: bool = False) -> "Iterator[tuple[Session, Chosen]]":
    """Find a version, and open the project that it is of, to look at it.

    Where its files are not checked out, the version's commit is, in a place of its own meanwhile.
    With `gone` also one that was taken back. Raises UsageError, ProjectError, MlxError.
    """
    from mlxkit.data.artifacts import owner
    from mlxkit.registry.transaction import require_git
    from mlxkit.runs.choose import project_of
    from mlxkit.versions.find import choose, read_registry

    here = _here()
    git_root = git.require_root(".")
    inside = project_of(here, git_root) if here else ""
    chosen = choose(read_registry(git_root), what, inside, gone=gone)
    folder = owner(git_root, chosen.commit, chosen.model.name, inside)
    own = os.path.join(git_root, folder)
    if os.path.isdir(os.path.join(own, ".dvc")):
        with reading(own) as session:
            require_git(session)
            yield session, chosen
        return
    with _laid_out(git_root, chosen.commit, folder) as session:
        yield session, chosen


def _here() -> str | None:
    """Return the project here, None in a repository without its files; raises ProjectError."""
    try:
        return find_root(".")
    except ProjectError:
        if git.find_root(".") is None:
            raise
        return None


@contextmanager
def _laid_out(git_root: str, commit: str, folder: str) -> "Iterator[Session]":
    from mlxkit.proof.place import worktree
    from mlxkit.registry.remotes import absolute

    with worktree(git_root, commit) as place:
        config = os.path.join(place.tree, folder, ".dvc", "config")
        if not os.path.isfile(config):
            raise ProjectError(
                "the version's commit has no project: no .dvc/config",
                hint="see: git ls-tree -r --name-only COMMIT",
            )
        with open(config, encoding="utf-8") as file:
            text = file.read()
        with open(config + ".local", "w", encoding="utf-8") as file:
            file.write(absolute(text, os.path.join(git_root, folder, ".dvc")))
        yield open_project(os.path.join(place.tree, folder), say=terminal.note)

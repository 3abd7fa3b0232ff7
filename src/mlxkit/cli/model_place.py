"""Opens the project to fetch from: the one here, or, in a clone without files, one laid out."""

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
def holding(what: str) -> "Iterator[tuple[Session, Chosen]]":
    """Open the project and find a version in it.

    Where no files are checked out, the version's commit is, in a place of its own for that long.
    Raises UsageError, ProjectError, MlxError.
    """
    from mlxkit.registry.settle import require_git
    from mlxkit.runs.choose import project_of
    from mlxkit.versions.find import choose, read_registry

    if _is_here():
        with reading() as session:
            git_root = require_git(session)
            folder = project_of(session.root, git_root)
            yield session, choose(read_registry(git_root), what, folder)
        return
    git_root = git.require_root(".")
    chosen = choose(read_registry(git_root), what)
    with _laid_out(git_root, chosen) as session:
        yield session, chosen


def _is_here() -> bool:
    try:
        find_root(".")
    except ProjectError:
        if git.find_root(".") is None:
            raise
        return False
    return True


@contextmanager
def _laid_out(git_root: str, chosen: "Chosen") -> "Iterator[Session]":
    from mlxkit.proof.place import worktree
    from mlxkit.registry.remotes import absolute

    with worktree(git_root, chosen.commit) as place:
        folder = _project_folder(place.tree, chosen.model.name.rpartition(":")[0])
        config = os.path.join(place.tree, folder, ".dvc", "config")
        with open(config, encoding="utf-8") as file:
            text = file.read()
        with open(config + ".local", "w", encoding="utf-8") as file:
            file.write(absolute(text, os.path.join(git_root, folder, ".dvc")))
        yield open_project(os.path.join(place.tree, folder), say=terminal.note)


def _project_folder(tree: str, folder: str) -> str:
    """Return the folder of the project that a model belongs to: its own, or one above it."""
    while True:
        if os.path.isfile(os.path.join(tree, folder, ".dvc", "config")):
            return folder
        if not folder:
            raise ProjectError(
                "the version's commit has no project: no .dvc/config",
                hint="see: git ls-tree -r --name-only COMMIT",
            )
        folder = os.path.dirname(folder)

"""What a rebuild's stages find around them: their own code instead of the user's, and a mark."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from mlxkit.pipeline.spec import Stage
from mlxkit.proof.place import MARK, Place
from mlxkit.runs.code import code_folders


@contextmanager
def surroundings(git_root: str, place: Place, stages: Iterable[Stage]) -> Iterator[None]:
    """Let the stages run as in the repository, but with the worktree's own code.

    A package that is installed from the repository's folder (`pip install -e`) would be imported
    from there: the worktree's folders come first on the path. Virtual environments in the
    repository are linked into the worktree.
    """
    _link_environments(git_root, place.tree)
    before = dict(os.environ)
    folders = _code_folders(git_root, place.tree, stages)
    given = [one for one in (os.environ.get("PYTHONPATH"),) if one]
    if folders:
        os.environ["PYTHONPATH"] = os.pathsep.join([*folders, *given])
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # bytecode in a folder would be a changed input
    os.environ["UV_NO_SYNC"] = "1"  # uv would install the worktree into the user's environment
    os.environ[MARK] = place.id
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _code_folders(git_root: str, tree: str, stages: Iterable[Stage]) -> list[str]:
    """Return the worktree's folders that stand for those of the repository on Python's path."""
    ours = [os.path.normpath(os.path.join(tree, one)) for one in code_folders(git_root, stages)]
    return [one for one in ours if os.path.isdir(one)]


def _link_environments(git_root: str, tree: str) -> None:
    """Link virtual environments, which no commit has, for commands that name them."""
    for name in os.listdir(git_root):
        source, target = os.path.join(git_root, name), os.path.join(tree, name)
        if os.path.isfile(os.path.join(source, "pyvenv.cfg")) and not os.path.lexists(target):
            os.symlink(source, target)

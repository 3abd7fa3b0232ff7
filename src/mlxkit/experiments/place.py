"""A Git worktree of its own for a run, below `.mlx/exps/`, on the project's cache.

Nothing of the user's is touched: not the index, branches, stashes, hooks or the working tree. What
a killed process left behind is removed by the next command.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress

from mlxkit.core.errors import MlxError, UsageError
from mlxkit.core.files import delete_folder, write_atomic
from mlxkit.pipeline.memories import HERE
from mlxkit.pipeline.rundir import prepare_folder
from mlxkit.pipeline.spec import inside
from mlxkit.runs.experiment import MARK
from mlxkit.tools import git
from mlxkit.tools.dvc_worktree import write_local_config
from mlxkit.tools.process import end_leftovers

_QUIET = ("core.hooksPath=/dev/null", "advice.detachedHead=false", "core.safecrlf=false")
_ELSEWHERE = (
    *("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE"),
    *("GIT_INDEX_FILE", "GIT_PREFIX"),
)
"""What tells Git, in a hook or by the user, that the repository is not where we are."""
_SHARED = (os.path.join("cache", "env"), "env")
"""What is known of environments holds for every copy of the project."""
_COPIED = (
    HERE,
    "state",
    *(os.path.join("cache", name) for name in ("settings.json", "locks.json")),
)
"""What is remembered by content: it spares a run the same work."""


def forget_elsewhere() -> None:
    """Let this process, and the stages that it runs, go by where they are."""
    for name in _ELSEWHERE:
        os.environ.pop(name, None)


def put_code_first(tree: str, folders: Sequence[str]) -> None:
    """Let Python import the project's code from the worktree, not from where it is installed."""
    ours = [os.path.normpath(os.path.join(tree, one)) for one in folders]
    there = [one for one in ours if os.path.isdir(one)]
    given = [one for one in (os.environ.get("PYTHONPATH"),) if one]
    if there:
        os.environ["PYTHONPATH"] = os.pathsep.join([*there, *given])
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # bytecode in a folder is a changed input


def lay_out(git_root: str, tree: str, commit: str, content: str) -> None:
    """Make a worktree at `tree` whose HEAD is `commit`, and its files those of the tree `content`.

    Raises MlxError where Git cannot.
    """
    os.makedirs(os.path.dirname(tree), exist_ok=True)
    add = ("worktree", "add", "--quiet", "--no-checkout", "--detach", tree, commit)
    git.run(git_root, *add, settings=_QUIET)
    git.run(tree, "read-tree", "--reset", "-u", content, settings=_QUIET)


def make_project(root: str, other: str, cache_dir: str) -> None:
    """Make the copy of the project at `other` one on the same cache; raises OSError."""
    write_local_config(root, other, cache_dir)
    own = prepare_folder(root)
    copy = prepare_folder(other)
    for name in _COPIED:
        with suppress(FileNotFoundError):
            os.makedirs(os.path.dirname(os.path.join(copy, name)), exist_ok=True)
            shutil.copyfile(os.path.join(own, name), os.path.join(copy, name))
    for name in _SHARED:
        os.makedirs(os.path.join(own, name), exist_ok=True)
        os.makedirs(os.path.dirname(os.path.join(copy, name)), exist_ok=True)
        os.symlink(os.path.join(own, name), os.path.join(copy, name))


def copy_paths(git_root: str, tree: str, paths: Sequence[str]) -> None:
    """Bring paths that Git does not have into the worktree; raises OSError, shutil.Error."""
    for path in paths:
        source, target = os.path.join(git_root, path), os.path.join(tree, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.isdir(source):
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)


def check_paths(git_root: str, paths: Sequence[str]) -> list[str]:
    """Return paths to copy as from the top of the repository; raises UsageError."""
    found = []
    for path in paths:
        full = os.path.abspath(path)
        if not os.path.lexists(full):
            raise UsageError(f"--copy-paths: there is no {path}", hint="name files or folders")
        if not inside(full, git_root) or full == git_root:
            raise UsageError(
                f"--copy-paths: {path} is not inside the repository", hint="name paths in it"
            )
        found.append(os.path.relpath(full, git_root))
    return found


def write_files(tree: str, files: dict[str, bytes]) -> None:
    """Write a run's parameter files into its worktree; raises OSError."""
    for path, data in files.items():
        write_atomic(os.path.join(tree, path), data, sync=False)


def remove(git_root: str, tree: str) -> None:
    """Remove a worktree."""
    delete_folder(tree)
    with suppress(MlxError):  # there is none where `git worktree add` was interrupted early
        git.run(git_root, "worktree", "remove", "--force", "--force", tree)


def clear(git_root: str, trees: str) -> int:
    """Remove what killed runs left in the folder `trees`; return how many worktrees there were."""
    try:
        left = os.listdir(trees)
    except OSError:
        return 0
    for name in left:
        clear_one(git_root, os.path.join(trees, name))
    return len(left)


def clear_one(git_root: str, tree: str) -> None:
    """Remove the worktree of a run that was killed, and end what still runs in it."""
    end_leftovers(f"{MARK}={tree}")
    remove(git_root, tree)

"""A commit's files brought into the working tree, while the user's index and branch stay."""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.core.files import scratch_folder
from mlxkit.tools import git

_SETTINGS = ("core.hooksPath=/dev/null", "core.splitIndex=false", "core.quotePath=false")
_SUBMODULE = "160000"


class WouldLose(MlxError):
    """Files that the user changed, and no commit has, are in the way."""

    code = "would-lose"


class Plan(NamedTuple):
    """What it takes to make the working tree's files those of a commit; paths from Git's top.

    `lost` are files whose content no commit and no index holds: they would be replaced or
    removed. `blocked` are folders, with files that no commit has, where a file is to be.
    """

    commit: str
    write: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()


def plan_files(git_root: str, commit: str) -> Plan:
    """Compare the working tree with a commit; touches nothing. Raises MlxError."""
    theirs = _files(git_root, commit)
    before = _files(git_root, "HEAD")
    with _index_of(git_root, commit) as env:
        write = [path for path in _differing(git_root, env) if path in theirs]
    there = (path for path in before if path not in theirs)
    remove = [path for path in there if _is_file(git_root, path)]
    unsafe = _changed_here(git_root)
    indexed = git.list_all(git_root, None)
    removed = set(remove)
    lost = [path for path in remove if path in unsafe]
    blocked = []
    for path in write:
        lost += _in_the_way(git_root, path, removed)
        full = os.path.join(git_root, path)
        if os.path.isdir(full) and not os.path.islink(full):
            blocked += [path] if _holds_more(git_root, path, removed) else []
        elif os.path.lexists(full) and (path in unsafe or path not in indexed):
            lost.append(path)
    return Plan(commit, tuple(write), tuple(remove), tuple(dict.fromkeys(lost)), tuple(blocked))


def refuse_losses(plan: Plan, git_root: str, *, force: bool) -> None:
    """Raise MlxError where something would be lost that only the working tree has."""
    if plan.blocked:
        raise MlxError(
            f"'{_shown(git_root, plan.blocked[0])}' is a folder with files of yours, where the "
            "experiment has a file",
            hint="move them away, then repeat",
        )
    if plan.lost and not force:
        shown = ", ".join(_shown(git_root, path) for path in plan.lost[:10])
        more = f", and {len(plan.lost) - 10:,} more" if len(plan.lost) > 10 else ""
        raise WouldLose(
            f"this would destroy changes that are in no commit: {shown}{more}",
            hint="commit or stash them, or give --force",
        )


def apply_files(git_root: str, plan: Plan) -> None:
    """Do what was planned, through Git's own filters; raises MlxError, OSError."""
    for path in plan.remove:
        full = os.path.join(git_root, path)
        with suppress(FileNotFoundError):
            os.unlink(full)
        _drop_empty(git_root, os.path.dirname(full))
    for path in plan.write:
        full = os.path.join(git_root, path)
        if os.path.isdir(full) and not os.path.islink(full):
            shutil.rmtree(full)  # it holds nothing but empty folders: `blocked` would name it
    if plan.write:
        with _index_of(git_root, plan.commit) as env:
            given = b"".join(os.fsencode(path) + b"\0" for path in plan.write)
            words = ("checkout-index", "--force", "--quiet", "-z", "--stdin")
            git.run(git_root, *words, stdin=given, env=env, settings=_SETTINGS)


@contextmanager
def _index_of(git_root: str, commit: str) -> Iterator[dict[str, str]]:
    """Give an index of its own that holds a commit, and what Git knows of files from the user's."""
    own = os.fsdecode(git.run(git_root, "rev-parse", "--git-path", "index")).rstrip("\n")
    own = os.path.join(git_root, own)
    with scratch_folder("mlx-index-") as folder:
        copy = os.path.join(folder, "index")
        if os.path.exists(own):
            shutil.copy2(own, copy)
        env = {"GIT_INDEX_FILE": copy}
        git.run(git_root, "read-tree", "--reset", commit, env=env, settings=_SETTINGS)
        yield env


def _differing(git_root: str, env: dict[str, str]) -> list[str]:
    refresh = ("update-index", "-q", "--refresh")
    git.run(git_root, *refresh, env=env, settings=_SETTINGS, ok=(0, 1))
    words = ("diff-files", "-z", "--name-only", "--ignore-submodules=all")
    told = git.run(git_root, *words, env=env, settings=_SETTINGS)
    return [os.fsdecode(path) for path in told.split(b"\0") if path]


def _files(git_root: str, commit: str) -> set[str]:
    every = git.list_all(git_root, commit)
    return {path for path, (mode, _) in every.items() if mode != _SUBMODULE}


def _changed_here(git_root: str) -> set[str]:
    """Return the tracked files whose content in the working tree is not that of the index."""
    words = ("diff", "-z", "--name-only", "--no-renames", "--no-ext-diff")
    told = git.run(
        git_root,
        *words,
        *("--diff-filter=MTU", "--ignore-submodules=all"),
        env={"GIT_OPTIONAL_LOCKS": "0"},
        settings=_SETTINGS,
    )
    return {os.fsdecode(path) for path in told.split(b"\0") if path}


def _is_file(git_root: str, path: str) -> bool:
    """Tell whether a file is there itself, and not only at the end of a link."""
    full = os.path.join(git_root, path)
    if not os.path.lexists(full) or (os.path.isdir(full) and not os.path.islink(full)):
        return False
    real = os.path.realpath(os.path.dirname(full))
    return real == os.path.normpath(os.path.join(os.path.realpath(git_root), os.path.dirname(path)))


def _in_the_way(git_root: str, path: str, removed: Iterable[str]) -> list[str]:
    """Return what is no folder, and stays, where a folder of `path` is to be."""
    found = []
    folder = os.path.dirname(path)
    while folder:
        full = os.path.join(git_root, folder)
        if os.path.lexists(full) and (os.path.islink(full) or not os.path.isdir(full)):
            found += [] if folder in removed else [folder]
        folder = os.path.dirname(folder)
    return found


def _holds_more(git_root: str, path: str, removed: Iterable[str]) -> bool:
    """Tell whether a folder has files that are not to be removed."""
    for folder, _, names in os.walk(os.path.join(git_root, path)):
        for name in names:
            if os.path.relpath(os.path.join(folder, name), git_root) not in removed:
                return True
    return False


def _drop_empty(git_root: str, folder: str) -> None:
    while folder != git_root and len(folder) > len(git_root):
        try:
            if stat.S_ISLNK(os.lstat(folder).st_mode):
                return
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


def _shown(git_root: str, path: str) -> str:
    return os.path.relpath(os.path.join(git_root, path))

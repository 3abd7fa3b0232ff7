"""Whether what `.mlx/` remembers came about here: a commit may bring along what it likes."""

import os
import shutil
from contextlib import suppress

from mlxkit.core.files import write_atomic
from mlxkit.pipeline.rundir import prepare_folder
from mlxkit.tools import git

HERE = "here"
_MEMORIES = ("state", "cache", "env", "lineage.db", "states.db")
"""The rest is a killed run's, or results that nobody has taken yet."""


def forget_foreign(root: str, git_root: str) -> None:
    """Drop what is remembered unless it bears this repository's mark, which no commit can know.

    Where nothing can be written, what is there is taken as it is.
    """
    with suppress(OSError):
        ours = os.path.join(git.common_folder(git_root), "mlx", HERE)
        theirs = os.path.join(root, ".mlx", HERE)
        mark = _read(ours)
        if mark and _read(theirs) == mark:
            return
        mark = mark or os.urandom(16).hex().encode()
        write_atomic(ours, mark, sync=False)
        _forget(os.path.join(root, ".mlx"))
        write_atomic(os.path.join(prepare_folder(root), HERE), mark, sync=False)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(64)
    except OSError:
        return b""


def _forget(folder: str) -> None:
    if os.path.islink(folder):  # into the commit, or out of the project
        os.unlink(folder)
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        path = os.path.join(folder, name)
        if not name.startswith(_MEMORIES):
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)

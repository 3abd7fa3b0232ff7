"""Opens the index of history for commands that ask it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from mlxkit.cli import terminal
from mlxkit.core.errors import ProjectError
from mlxkit.lineage.index import Index, open_index
from mlxkit.lineage.schema import failure
from mlxkit.project import find_root
from mlxkit.tools import git


@contextmanager
def knowing(start: str = ".", *, quiet: bool = False) -> Iterator[Index]:
    """Open the index of the project at a folder, the current one, up to date.

    Raises ProjectError without Git, MlxError where the index turns out to be damaged or busy.
    """
    root = find_root(start)
    git_root = git.find_root(root)
    if git_root is None:
        raise ProjectError("without Git there is no history", hint="run: git init")
    index = open_index(root, git_root, (lambda _: None) if quiet else terminal.note)
    try:
        yield index
    except sqlite3.Error as error:
        raise failure(root, error) from error
    finally:
        index.close()

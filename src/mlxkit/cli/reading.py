"""Opens the project for commands that only look."""

from collections.abc import Iterator
from contextlib import contextmanager

from mlxkit.cli import terminal
from mlxkit.pipeline.session import Session
from mlxkit.project import open_project, save_state


@contextmanager
def reading(start: str = ".") -> Iterator[Session]:
    """Open the project at a folder, the current one; keep what was learnt of its files."""
    session = open_project(start, say=terminal.note)
    yield session
    save_state(session)

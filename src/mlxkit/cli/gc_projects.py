"""Opens the projects whose data `mlx gc` must keep, and says when that cannot be known."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from mlxkit.cli import terminal
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.data.gc.collect import Wanted
from mlxkit.data.gc.reach import cache_folder
from mlxkit.experiments.atwork import nobody_making
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import inside
from mlxkit.project import find_root, open_project
from mlxkit.tools import git


class Request(NamedTuple):
    wanted: Wanted
    projects: tuple[str, ...]
    this_project_only: bool
    shallow: bool
    wait: float


@contextmanager
def opened(request: Request, *, to_change: bool = False) -> Iterator[list[Session]]:
    """Open this project and those on the same cache; to change something, alone in all of them."""
    from mlxkit.pipeline.rundir import only_run
    from mlxkit.tools.dvclock import RepoLock

    here = find_root(".")
    roots = dict.fromkeys([here, *map(_root_of, request.projects)])
    with ExitStack() as stack:
        # In the same order wherever it was begun: else two of these could wait for each other.
        for root in sorted(roots) if to_change else ():
            # What a run has made is in no lock file until the run writes it.
            stack.enter_context(nobody_making(root, request.wait, terminal.note))
            stack.enter_context(only_run(root, request.wait, terminal.note))
            core = open_project(root, say=terminal.note).declared.config.get("core", {})
            lock = RepoLock(root, hardlink=bool(core.get("hardlink_lock")))
            stack.enter_context(lock.holding(request.wait, terminal.note))
        # Read only now: whoever held a lock may have written what refers to an object.
        yield [open_project(root, say=terminal.note) for root in roots]


def _root_of(path: str) -> str:
    if not os.path.isdir(path):
        raise UsageError(f"-p {path}: there is no such folder", hint="name a project's folder")
    return find_root(path)


def refusal(session: Session, request: Request) -> MlxError | None:
    """Say why nothing may be deleted: somebody may need what we cannot see."""
    cache = os.path.realpath(cache_folder(session))
    shared = not inside(cache, os.path.realpath(session.root))
    if shared and not request.projects and not request.this_project_only:
        return MlxError(
            f"the cache {cache} is outside of the project: other projects may use it, too",
            hint="name them with -p PATH, or say --this-project-only",
        )
    if session.git_root is not None and request.wanted.scope.needs_history and not request.shallow:
        said = git.run(session.git_root, "rev-parse", "--is-shallow-repository")
        if said.strip() == b"true":
            return MlxError(
                "this is a shallow clone: what its older commits refer to is unknown",
                hint="run: git fetch --unshallow   (or say --shallow)",
            )
    return None

"""Experiments in the making, and `mlx gc`: what is not kept by name yet must not be deleted.

What a run has made is named nowhere until its experiment is in Git, so whoever makes experiments
and whoever deletes data keep each other out. What a stopped sweep starts from is named only by its
plan; `needed` tells it.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from mlxkit.core.errors import BusyError
from mlxkit.data.history import versions
from mlxkit.data.history.versions import Text
from mlxkit.experiments.batch import missing
from mlxkit.experiments.plan import known_experiments
from mlxkit.experiments.sweepdir import DONE, Plan, SweepDir, sweep_dirs
from mlxkit.pipeline.rundir import prepare_folder
from mlxkit.pipeline.session import Session

_POLL_SECONDS = 0.05


def making(root: str, wait: float, say: Callable[[str], None]) -> AbstractContextManager[None]:
    """Make experiments; raises BusyError where data are still deleted after `wait` seconds."""
    return _holding(root, fcntl.LOCK_SH, wait, "mlx gc", say)


def nobody_making(
    root: str, wait: float, say: Callable[[str], None]
) -> AbstractContextManager[None]:
    """Delete data; raises BusyError where experiments are still made after `wait` seconds.

    Runs of a sweep that was killed count, too, until they have ended.
    """
    return _holding(root, fcntl.LOCK_EX, wait, "mlx exp run", say)


def needed(session: Session) -> Iterator[Text]:
    """Yield what names data that sweeps without all their results start from."""
    root = session.git_root
    if root is None:
        return
    contents: dict[str, str] = {}
    for folder in sweep_dirs(session.root):
        plan = folder.read()
        if plan is None or not is_unfinished(folder, plan, root):
            continue
        where = os.path.relpath(folder.path, root)
        contents[plan.content] = where
        names = {name for run in plan.runs for name in run.files.values()}
        for name in sorted(names & set(folder.files())):
            yield Text("file", where, folder.file(name))
    known = versions.kinds(root, contents)
    yield from versions.at_trees(root, {one: contents[one] for one in known})


def is_unfinished(folder: SweepDir, plan: Plan, git_root: str) -> bool:
    """Tell whether a sweep lacks results."""
    if missing(plan, known_experiments(git_root, plan.baseline)):
        return True
    made_again = plan.runs if plan.how.get("force") else ()
    outcomes = (folder.outcome(run) for run in made_again)
    return any(one is None or one.outcome != DONE for one in outcomes)


@contextmanager
def _holding(
    root: str, how: int, wait: float, other: str, say: Callable[[str], None]
) -> Iterator[None]:
    path = os.path.join(prepare_folder(root), "experiments.lock")
    end = time.monotonic() + wait
    said = False
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        while True:
            try:
                fcntl.flock(file, how | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise BusyError(
                        f"{other} is at work in this project",
                        hint="wait for it to finish, or give --wait SECONDS",
                    ) from None
            if not said:
                say(f"waiting for {other} to finish")
                said = True
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(file)

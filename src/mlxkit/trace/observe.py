"""Runs a stage's command where it belongs, watched, and leaves the project as it was."""

import os
import shutil
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mlxkit.core.errors import BusyError, MlxError
from mlxkit.core.interrupts import uninterrupted
from mlxkit.pipeline import records
from mlxkit.pipeline.aside import Aside, put_back, set_aside
from mlxkit.pipeline.rundir import slug
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Stage
from mlxkit.store.checkout import remove
from mlxkit.tools.process import Ended, require_shell
from mlxkit.trace import reach, strace
from mlxkit.trace.events import Seen
from mlxkit.trace.restore import Undone, look, undo
from mlxkit.trace.watch import Watch

PATIENCE = 86_400.0
LAST_LINES = 10
STRACE, PYTHON = "strace", "python"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Observed:
    """A stage's command has run: how it ended, and what was seen."""

    ended: Ended
    seen: Seen
    left: frozenset[str]
    """What it wrote and did not remove again itself."""
    undone: Undone
    how: str
    """`strace`, or `python` where only Pythons could be watched, from inside."""
    detached: int = 0
    """Processes that it had left running, and that were ended."""
    output: tuple[str, ...] = ()
    """The last lines that it printed."""


def observe(session: RunSession, stage: Stage, *, use_strace: bool, wait: float) -> Observed:
    """Run the stage's command and watch it; its outputs, and Git's files, are then as before.

    Raises MlxError where its inputs are missing or it cannot be watched here, BusyError where
    another process uses its files for longer than `wait` seconds. After Ctrl-C the command is ended
    and all is put back before KeyboardInterrupt goes on.
    """
    require_shell()
    address = stage.address(os.getcwd())
    words = strace.find_strace() if use_strace else None
    if words is None:
        reach.require_reach(stage, address, os.environ)
    for dep in stage.deps:
        if not stage.delegated and not os.path.lexists(dep.abs):
            raise MlxError(
                f"stage '{address}' cannot be traced: its input '{dep.path}' is missing",
                hint=f"bring it with: mlx repro {address}   (or: mlx pull)",
            )
    top = session.git_root or session.root
    session.rundir.note()
    watch = Watch(session, stage, words, top)
    with _paths_locked(session, stage, wait), watch.folder(), _ending_politely():
        with session.repo_lock.holding(wait):
            before = look(session)
            kept = _set_aside(session, stage)
        try:
            _copy_persisting(stage, kept)
            ended, detached = watch.run()
        finally:
            written: Collection[str] = ()
            try:
                seen = watch.seen()
                written = seen.writes
                left = frozenset(path for path in written if os.path.lexists(path))
            finally:  # also after a second Ctrl-C, while what was seen is read
                with session.repo_lock.holding(PATIENCE), uninterrupted():
                    _put_back(session, kept)
                    undone = undo(session, before, written)
                session.workspace.forget()
        output = tuple(records.tail(watch.log, LAST_LINES))
    how = STRACE if words else PYTHON
    if words is None and not seen.watched and ended.code == 0:
        raise MlxError(
            f"there is no way to trace stage '{address}': no Python told what it does",
            hint=reach.HINT,
        )
    return Observed(ended, seen, left, undone, how, detached, output)


def _set_aside(session: RunSession, stage: Stage) -> Aside:
    """Move all outputs away, also those that persist; after a kill they come back in any case."""
    everything = tuple(out._replace(persist=False) for out in stage.outs)
    traced = stage._replace(name=f"trace {stage.name}", outs=everything)
    return set_aside(session.rundir.folder, slug(traced.address(session.root)), traced)


def _copy_persisting(stage: Stage, kept: Aside) -> None:
    """Give the stage a copy of the outputs that it goes on from."""
    persisting = {out.abs for out in stage.outs if out.persist}
    for path, place in kept.moved:
        if path not in persisting:
            continue
        if os.path.isdir(place):
            shutil.copytree(place, path)
        else:
            shutil.copy2(place, path)


def _put_back(session: RunSession, kept: Aside) -> None:
    partial = os.path.join(session.root, ".mlx", "partial")
    left = put_back(kept, partial)
    if left is not None:
        remove(left)


@contextmanager
def _paths_locked(session: RunSession, stage: Stage, wait: float) -> Iterator[None]:
    """Hold DVC's locks on the stage's files, as a run would."""
    read = [dep.abs for dep in stage.deps] + [one.abs for one in stage.params]
    write = [out.abs for out in stage.outs]
    with session.repo_lock.holding(wait):
        blocker = session.path_locks.acquire(read, write)
    if blocker is not None:
        raise BusyError(
            f"'{os.path.relpath(blocker.path)}' is in use by another process (pid {blocker.pid})",
            hint="wait for it to finish",
        )
    try:
        yield
    finally:
        session.path_locks.release(read, write)


@contextmanager
def _ending_politely() -> Iterator[None]:
    """Treat a request to end, or a closed terminal, as Ctrl-C: everything is put back."""

    asked: list[int] = []

    def interrupt(number: int, _: object) -> None:
        asked.append(number)
        if len(asked) == 1:
            raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

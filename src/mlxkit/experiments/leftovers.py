"""What killed processes and finished sweeps left in `.mlx/` and `.git/mlx`, for `mlx gc`."""

import os
from collections.abc import Iterator
from contextlib import suppress

from mlxkit.audit.memory import folder
from mlxkit.core.files import TEMPORARY
from mlxkit.data.gc.inventory import ABANDONED, File, look
from mlxkit.experiments.atwork import is_unfinished
from mlxkit.experiments.sweepdir import SweepDir, sweep_dirs
from mlxkit.pipeline.session import Session

_OTHERS = ("run", "trees")
"""What a killed run left there is not garbage: the next one brings outputs back from it."""


def leftovers(session: Session) -> Iterator[File]:
    """Yield files that nobody needs any more; raises MlxError where Git cannot be asked."""
    places = [os.path.join(session.root, ".mlx")]
    if session.git_root is not None:
        places.append(folder(session.git_root))
    for place in places:
        for path in _files(place):
            if os.path.basename(path).startswith(TEMPORARY[0]) and path.endswith(TEMPORARY[1]):
                file = look(path)
                if file is not None and file.age > ABANDONED:
                    yield file
    for sweep in _finished(session):
        for path in _files(sweep.path):
            file = look(path)
            if file is not None and not os.path.basename(path).startswith(TEMPORARY[0]):
                yield file


def forget_empty(session: Session) -> None:
    """Remove the folders of sweeps whose files are gone."""
    for sweep in sweep_dirs(session.root):
        for path in (os.path.join(sweep.path, "files"), os.path.join(sweep.path, "runs")):
            with suppress(OSError):
                os.rmdir(path)
        with suppress(OSError):
            os.rmdir(sweep.path)


def _finished(session: Session) -> list[SweepDir]:
    """Return the sweeps that have all their results; not the last, which `--continue` means."""
    found = []
    for one in sweep_dirs(session.root)[1:]:
        plan = one.read()
        over = plan is None or not (session.git_root and is_unfinished(one, plan, session.git_root))
        if over and not one.is_at_work() and not os.path.isdir(one.trees):
            found.append(one)
    return found


def _files(top: str) -> Iterator[str]:
    for place, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name not in _OTHERS]
        yield from (os.path.join(place, name) for name in names)

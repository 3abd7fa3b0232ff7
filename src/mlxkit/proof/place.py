"""A Git worktree outside of the repository's folder, for as long as a rebuild goes on.

It is removed whatever happens; what a killed process left, the next `mlx verify` removes. So a
note of it lies in `.git/mlx/` before anything else does.
"""

import json
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, NoReturn

from mlxkit.core.errors import MlxError
from mlxkit.core.files import delete_folder, discard, write_atomic
from mlxkit.core.interrupts import uninterrupted
from mlxkit.pipeline.spec import inside
from mlxkit.proof.notes import NOTE, notes_folder
from mlxkit.tools import git
from mlxkit.tools.alive import is_running, start_mark
from mlxkit.tools.process import end_leftovers

MARK = "MLX_REBUILD"
"""The environment variable that every process of a rebuild carries."""
_SETTINGS = ("core.hooksPath=/dev/null", "advice.detachedHead=false")
_STOPS = (signal.SIGTERM, signal.SIGHUP)


class Place(NamedTuple):
    """Where to rebuild: `tree` is the worktree's top, in `folder`, which is all ours."""

    id: str
    folder: str
    tree: str


@contextmanager
def worktree(git_root: str, commit: str) -> Iterator[Place]:
    """Check a commit out in a place of its own, and remove it in the end.

    Raises MlxError where Git cannot, or where the place for temporary files is no good.
    """
    name = os.urandom(8).hex()
    base = _temporary(git_root)
    folder = os.path.join(base, f"mlx-rebuild-{name}")
    place = Place(name, folder, os.path.join(folder, os.path.basename(git_root) or "tree"))
    note = os.path.join(notes_folder(git_root), f"{NOTE}{name}.json")
    told = {"pid": os.getpid(), "start": start_mark(os.getpid()), **place._asdict()}
    with _stops_raise():
        try:
            write_atomic(note, json.dumps(told).encode(), sync=False)
            os.mkdir(folder, 0o700)
            git.run(
                git_root,
                *("worktree", "add", "--quiet", "--detach", place.tree, commit),
                settings=_SETTINGS,
            )
            yield place
        finally:
            with uninterrupted():
                _remove(git_root, place)
                discard(note)


def sweep(start: str) -> int:
    """Remove the places of rebuilds that were killed; return how many there were."""
    git_root = git.find_root(start)
    if git_root is None:
        return 0
    notes = notes_folder(git_root)
    try:
        names = [one for one in os.listdir(notes) if one.startswith(NOTE)]
    except OSError:
        return 0
    swept = 0
    for name in names:
        path = os.path.join(notes, name)
        place = _left(path)
        if place is not None:
            _remove(git_root, place)
            discard(path)
            swept += 1
    return swept


def _left(note: str) -> Place | None:
    """Return the place that a note is about, None where its process is alive."""
    try:
        with open(note, "rb") as file:
            told = json.loads(file.read())
        if is_running(told["pid"], told["start"]):
            return None
        place = Place(str(told["id"]), str(told["folder"]), str(told["tree"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    ours = os.path.basename(place.folder) == f"mlx-rebuild-{place.id}"
    return place if ours and inside(place.tree, place.folder) else None


def _remove(git_root: str, place: Place) -> None:
    end_leftovers(f"{MARK}={place.id}")
    delete_folder(place.folder)
    with suppress(MlxError):  # there is none where `git worktree add` was interrupted early
        git.run(git_root, "worktree", "remove", "--force", "--force", place.tree)


def _temporary(git_root: str) -> str:
    base = os.path.realpath(tempfile.gettempdir())
    if inside(base, os.path.realpath(git_root)):
        raise MlxError(
            f"the folder for temporary files, {base}, lies in the repository",
            hint="set TMPDIR to a folder outside of it",
        )
    return base


@contextmanager
def _stops_raise() -> Iterator[None]:
    """Let a polite request to end unwind as Ctrl-C does."""

    def stop(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = {}
    with suppress(ValueError):  # not in the main thread
        before = {number: signal.signal(number, stop) for number in _STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

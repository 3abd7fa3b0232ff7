"""Keeps a stage's earlier outputs aside while it runs, so that a failure costs nothing.

Before a stage runs, DVC deletes its outputs. We move them to `.mlx/run/aside/`, and drop them only
when the new ones are in the lock file. After a failure, or in the next run after a kill, they are
moved back, and what the stage left behind goes to `.mlx/partial/`.
"""

import json
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass

from mlxkit.core.files import write_atomic
from mlxkit.pipeline.spec import Stage, inside
from mlxkit.store.checkout import remove


@dataclass(frozen=True, slots=True)
class Aside:
    """One stage's earlier outputs: `moved` pairs the output's path with where it is kept."""

    folder: str
    slug: str
    key: str
    lock_path: str
    name: str
    outs: tuple[str, ...]
    moved: tuple[tuple[str, str], ...]


def set_aside(run_folder: str, slug: str, stage: Stage) -> Aside:
    """Move the outputs of `stage` away; outputs that persist stay, they are its own memory."""
    folder = os.path.join(run_folder, "aside", slug)
    outs = tuple(out.abs for out in stage.outs if not out.persist)
    moved = tuple(
        (path, os.path.join(folder, str(index)))
        for index, path in enumerate(outs)
        if os.path.lexists(path)
    )
    kept = Aside(folder, slug, stage.key, stage.lock_path, stage.name or "", outs, moved)
    if moved:
        _note(kept)
    done: list[tuple[str, str]] = []
    try:
        for path, place in moved:
            _move(path, place)
            done.append((path, place))
    except OSError:
        for path, place in done:
            _move(place, path)
        drop(kept)
        raise
    return kept


def put_back(kept: Aside, partial_root: str) -> str | None:
    """Move what the stage left to `partial_root`, its earlier outputs back; return where to."""
    partial = os.path.join(partial_root, kept.slug)
    project = os.path.dirname(os.path.dirname(partial_root))
    left = [path for path in kept.outs if os.path.lexists(path)]
    saved = dict(kept.moved)
    # After a kill an output may not have been moved yet: then it is the earlier one itself.
    left = [path for path in left if path not in saved or os.path.lexists(saved[path])]
    for path in left:
        target = os.path.join(partial, _below(path, project))
        try:
            remove(target)
            _move(path, target)
        except OSError:
            if path in saved:
                remove(path)  # it cannot be kept: what was good comes first
    for path, place in kept.moved:
        if os.path.lexists(place):
            _move(place, path)
    drop(kept)
    return partial if left else None


def drop(kept: Aside) -> None:
    """Forget the earlier outputs: the new ones are committed."""
    if os.path.isdir(kept.folder):
        shutil.rmtree(kept.folder, onerror=_make_writable)


def left_behind(run_folder: str) -> list[Aside]:
    """Return what a run that was killed had set aside."""
    base = os.path.join(run_folder, "aside")
    found = []
    for slug in sorted(os.listdir(base)) if os.path.isdir(base) else ():
        try:
            with open(os.path.join(base, slug, "note.json"), encoding="utf-8") as file:
                note = json.load(file)
        except (OSError, ValueError):
            continue  # killed before anything was moved
        found.append(
            Aside(
                folder=os.path.join(base, slug),
                slug=slug,
                key=note["key"],
                lock_path=note["lock_path"],
                name=note["name"],
                outs=tuple(note["outs"]),
                moved=tuple((path, place) for path, place in note["moved"]),
            )
        )
    return found


def _note(kept: Aside) -> None:
    note = {
        "key": kept.key,
        "lock_path": kept.lock_path,
        "name": kept.name,
        "outs": kept.outs,
        "moved": kept.moved,
    }
    write_atomic(os.path.join(kept.folder, "note.json"), json.dumps(note).encode(), sync=False)


def _below(path: str, folder: str) -> str:
    """Return an output's place below `folder`; of one elsewhere, only its name."""
    return os.path.relpath(path, folder) if inside(path, folder) else os.path.basename(path)


def _move(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        os.rename(source, target)
    except PermissionError:
        # A folder that its stage made read-only: to move, it must be writable for a moment.
        if os.path.islink(source) or not os.path.isdir(source):
            raise
        mode = stat.S_IMODE(os.lstat(source).st_mode)
        os.chmod(source, mode | 0o700)
        try:
            os.rename(source, target)
        except OSError:
            os.chmod(source, mode)
            raise
        os.chmod(target, mode)
    except OSError:
        shutil.move(source, target)  # another file system


def _make_writable(again: Callable[[str], object], path: str, _: object) -> None:
    """Let rmtree into folders that a stage left without write permission."""
    os.chmod(os.path.dirname(path), 0o700)
    if os.path.isdir(path) and not os.path.islink(path):
        os.chmod(path, 0o700)
    again(path)

"""Bringing files and folders under control: objects, a `.dvc` file, an entry in `.gitignore`."""

import os
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mlxkit.core.errors import BusyError, MlxError
from mlxkit.core.files import write_atomic
from mlxkit.core.progress import SILENT, Progress
from mlxkit.core.yaml import load
from mlxkit.data import dvcfile, laid
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Out, Stage, inside, upwards
from mlxkit.store.intake import take_file, take_tree
from mlxkit.store.tree import Content
from mlxkit.tools import git


class Added(NamedTuple):
    """A path that is tracked now: absolute paths of the data and of its `.dvc` file."""

    path: str
    dvcfile: str
    content: Content


class LeftToDvc(Exception):
    """A path that only DVC's own `add` can deal with; says why."""


def add(
    session: RunSession,
    paths: Sequence[str],
    *,
    no_commit: bool = False,
    relink: bool = True,
    progress: Progress = SILENT,
) -> list[Added]:
    """Track `paths`, all of which are checked before anything is written.

    Raises MlxError for a path that cannot be tracked, BusyError where another process uses one,
    LeftToDvc where DVC has to do it.
    """
    wanted = list(dict.fromkeys(os.path.abspath(path) for path in paths))
    owners = {out.abs: (stage, out) for stage in session.declared.stages for out in stage.outs}
    for path in wanted:
        _check(session, path, owners)
    _refuse_overlaps(wanted)
    _refuse_tracked(session, wanted)
    blocker = session.path_locks.acquire([], wanted)
    if blocker is not None:
        raise BusyError(
            f"'{os.path.relpath(blocker.path)}' is in use by another process "
            f"(pid {blocker.pid}: {blocker.cmd})",
            hint="wait for it to finish",
        )
    try:
        return record(session, wanted, no_commit=no_commit, relink=relink, progress=progress)
    finally:
        session.path_locks.release([], wanted)


def record(
    session: RunSession,
    paths: Sequence[str],
    *,
    no_commit: bool = False,
    relink: bool = True,
    progress: Progress = SILENT,
) -> list[Added]:
    """Put what is at `paths` into the cache, then say so in `.gitignore` and their `.dvc` files.

    Nothing is said of any before all are in the cache.
    """
    done = []
    for path in paths:
        content = _taken(session, path, no_commit, relink, progress)
        done.append(Added(path, dvcfile.place(path), content))
    _ignore(session, paths)
    for one in done:
        _write(session, one.dvcfile, one.path, one.content)
    if not no_commit:
        laid.note(session.root, {one.path: one.content.md5 for one in done})
    return done


def _taken(
    session: RunSession, path: str, no_commit: bool, relink: bool, progress: Progress
) -> Content:
    store, ignore = session.workspace.store, session.workspace.ignore
    if no_commit:
        found = session.workspace.content(path)
        assert found is not None
        return found
    if os.path.isdir(path):
        return take_tree(store, path, ignore, progress, relink=relink)
    return take_file(store, path, progress, relink=relink)


def _write(session: RunSession, file: str, path: str, content: Content) -> None:
    before = _read(file)
    if before is None:
        text = dvcfile.new_text(os.path.basename(path), content)
    else:
        text = dvcfile.updated_text(before, content)
    if text != before:
        write_atomic(file, text.encode(), sync=False)
    session.touched.add(file)


def _ignore(session: RunSession, paths: Sequence[str]) -> None:
    outs = [Out(os.path.basename(path), path) for path in paths]
    session.ignores.expect(outs)
    for number, out in enumerate(outs):
        session.ignores.add(out, (len(session.declared.stages), number))
    session.touched.update(session.ignores.flush())


_Owners = Mapping[str, tuple[Stage, Out]]
"""Who writes or tracks a path: every output by its absolute path."""


def _check(session: RunSession, path: str, owners: _Owners) -> None:
    """Refuse what cannot be tracked by a `.dvc` file of its own."""
    shown = os.path.relpath(path)
    if not os.path.lexists(path):
        if any(holder in owners for holder in upwards(path)):
            raise LeftToDvc(f"'{shown}' was removed from a tracked folder")
        raise MlxError(f"'{shown}' does not exist", hint="check its name")
    if "\n" in path:
        raise MlxError(
            f"{shown!r} has a line break in its name, which .gitignore cannot hold",
            hint="rename it",
        )
    private = [os.path.join(session.root, name) for name in (".dvc", ".git", ".mlx")]
    if inside(session.root, path) or any(inside(path, one) for one in private):
        raise MlxError(
            f"'{shown}' cannot be tracked: it holds the project's own files",
            hint="name the data: a file, or a folder that holds nothing else",
        )
    if not inside(path, session.root):
        raise LeftToDvc(f"'{shown}' lies outside of the project")
    _refuse_names(path, shown)
    _refuse_links(session, path, shown)
    _refuse_ignored(session, path, shown)
    if path.endswith(".dvc") and os.path.isfile(path):
        raise MlxError(f"'{shown}' is a .dvc file, not data", hint="name the data itself")
    _check_owners(path, shown, owners)
    text = _read(dvcfile.place(path))
    if text is not None:
        data = load(text, os.path.relpath(dvcfile.place(path)))
        if not isinstance(data, dict) or not dvcfile.is_plain(data):
            raise LeftToDvc(f"'{shown}.dvc' is more than a plain .dvc file")


def _refuse_names(path: str, shown: str) -> None:
    """Refuse what no text can name, and links to nothing."""
    try:
        os.path.basename(path).encode()
    except UnicodeEncodeError:
        raise MlxError(
            f"'{shown}' has a name that is not UTF-8: no .dvc file can hold it", hint="rename it"
        ) from None
    if not os.path.exists(path):
        raise MlxError(f"'{shown}' is a link to nothing", hint=f"it says: {os.readlink(path)}")


def _refuse_links(session: RunSession, path: str, shown: str) -> None:
    """Refuse what lies behind a link: the same data would have two names."""
    here = path if os.path.isdir(path) else os.path.dirname(path)
    while here != session.root:
        if os.path.islink(here):
            raise MlxError(
                f"'{shown}' lies behind the link '{os.path.relpath(here)}'",
                hint=f"add the folder itself: {os.path.relpath(os.path.realpath(here))}",
            )
        here = os.path.dirname(here)


def _refuse_ignored(session: RunSession, path: str, shown: str) -> None:
    keep = session.workspace.ignore
    here = path
    while keep is not None and here != session.root:
        folder, name = os.path.split(here)
        dirs, files = ([name], []) if os.path.isdir(here) else ([], [name])
        if not any(name in kept for kept in keep(folder, dirs, files)):
            raise MlxError(f"'{shown}' is excluded by .dvcignore", hint="correct .dvcignore")
        here = folder


def _check_owners(path: str, shown: str, owners: _Owners) -> None:
    for holder in upwards(path):
        if holder in owners:
            _check_holder(path, shown, *owners[holder])
            return
    for stage, out in owners.values() if os.path.isdir(path) else ():
        if inside(out.abs, path):
            address = stage.address(os.getcwd())
            raise MlxError(
                f"'{shown}' holds '{os.path.relpath(out.abs)}', which '{address}' tracks already",
                hint=f"track the rest only, or first: mlx remove {address}",
            )


def _check_holder(path: str, shown: str, stage: Stage, out: Out) -> None:
    address = stage.address(os.getcwd())
    if out.abs != path:
        if stage.is_source:
            raise LeftToDvc(f"'{shown}' is a part of '{out.path}'")
        raise MlxError(
            f"'{shown}' is inside of '{os.path.relpath(out.abs)}', which stage '{address}' writes",
            hint=f"record it as it is with: mlx commit {address}",
        )
    if not stage.is_source:
        raise MlxError(
            f"'{shown}' is written by stage '{address}'",
            hint=f"run the pipeline, or record it as it is with: mlx commit {address}",
        )
    if stage.file != dvcfile.place(path):
        raise LeftToDvc(f"'{shown}' is tracked by '{address}'")


def _refuse_overlaps(paths: Sequence[str]) -> None:
    named = set(paths)
    for path in paths:
        for folder in upwards(path):
            if folder in named and folder != path:
                raise MlxError(
                    f"'{os.path.relpath(folder)}' and '{os.path.relpath(path)}' overlap",
                    hint="add only one of them",
                )


def _refuse_tracked(session: RunSession, paths: Sequence[str]) -> None:
    """Refuse what Git tracks, and a `.dvc` file that Git would not see."""
    if session.git_root is None:
        return
    for path in sorted(git.tracked(session.git_root, paths)):
        shown = os.path.relpath(path)
        raise MlxError(
            f"'{shown}' is tracked by Git",
            hint=f"run: git rm -r --cached {shlex.quote(shown)}   and then add it again",
        )
    for file in sorted(git.ignored(session.git_root, [dvcfile.place(path) for path in paths])):
        shown = os.path.relpath(file)
        raise MlxError(
            f"'{shown}' would be ignored by Git",
            hint="correct .gitignore: .dvc files belong to Git",
        )


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None

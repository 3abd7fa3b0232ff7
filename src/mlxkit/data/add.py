"""Bringing files and folders under control: objects, a `.dvc` file, an entry in `.gitignore`."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from mlxkit.core.errors import BusyError, MlxError
from mlxkit.core.files import write_atomic
from mlxkit.core.progress import SILENT, Progress
from mlxkit.core.yaml import load
from mlxkit.data import dvcfile, laid
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Out, Stage, inside, overlap
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
    for path in wanted:
        _check(session, path)
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
        return [
            record(session, path, number, no_commit=no_commit, relink=relink, progress=progress)
            for number, path in enumerate(wanted)
        ]
    finally:
        session.path_locks.release([], wanted)


def record(
    session: RunSession,
    path: str,
    number: int,
    *,
    no_commit: bool = False,
    relink: bool = True,
    progress: Progress = SILENT,
) -> Added:
    """Put what is at `path` into the cache and say so in its `.dvc` file and `.gitignore`.

    `number` is its place among several.
    """
    store, ignore = session.workspace.store, session.workspace.ignore
    if no_commit:
        found = session.workspace.content(path)
        assert found is not None
        content = found
    elif os.path.isdir(path):
        content = take_tree(store, path, ignore, progress, relink=relink)
    else:
        content = take_file(store, path, progress, relink=relink)
    file = dvcfile.place(path)
    _ignore(session, path, number)
    _write(session, file, path, content)
    if not no_commit:
        laid.note(session.root, {path: content.md5})
    return Added(path, file, content)


def _write(session: RunSession, file: str, path: str, content: Content) -> None:
    before = _read(file)
    if before is None:
        text = dvcfile.new_text(os.path.basename(path), content)
    else:
        text = dvcfile.updated_text(before, content)
    if text != before:
        write_atomic(file, text.encode(), sync=False)
    session.touched.add(file)


def _ignore(session: RunSession, path: str, number: int) -> None:
    out = Out(os.path.basename(path), path)
    session.ignores.expect([out])
    session.ignores.add(out, (len(session.declared.stages), number))
    session.touched.update(session.ignores.flush())


def _check(session: RunSession, path: str) -> None:
    """Refuse what cannot be tracked by a `.dvc` file of its own."""
    shown = os.path.relpath(path)
    if not os.path.lexists(path):
        owner = _owner(session, path)
        if owner is not None:
            raise LeftToDvc(f"'{shown}' was removed from a tracked folder")
        raise MlxError(f"'{shown}' does not exist", hint="check its name")
    private = [os.path.join(session.root, name) for name in (".dvc", ".git", ".mlx")]
    if inside(session.root, path) or any(inside(path, one) for one in private):
        raise MlxError(
            f"'{shown}' cannot be tracked: it holds the project's own files",
            hint="name the data: a file, or a folder that holds nothing else",
        )
    if not inside(path, session.root):
        raise LeftToDvc(f"'{shown}' lies outside of the project")
    _refuse_links(session, path, shown)
    _refuse_ignored(session, path, shown)
    if path.endswith(".dvc") and os.path.isfile(path):
        raise MlxError(f"'{shown}' is a .dvc file, not data", hint="name the data itself")
    _check_owners(session, path, shown)
    text = _read(dvcfile.place(path))
    if text is not None:
        data = load(text, os.path.relpath(dvcfile.place(path)))
        if not isinstance(data, dict) or not dvcfile.is_plain(data):
            raise LeftToDvc(f"'{shown}.dvc' is more than a plain .dvc file")


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


def _check_owners(session: RunSession, path: str, shown: str) -> None:
    for stage, out in _outs(session):
        address = stage.address(os.getcwd())
        if out.abs == path:
            if not stage.is_source:
                raise MlxError(
                    f"'{shown}' is written by stage '{address}'",
                    hint=f"run the pipeline, or record it as it is with: mlx commit {address}",
                )
            if stage.file != dvcfile.place(path):
                raise LeftToDvc(f"'{shown}' is tracked by '{address}'")
        elif inside(path, out.abs):
            if stage.is_source:
                raise LeftToDvc(f"'{shown}' is a part of '{out.path}'")
            raise MlxError(
                f"'{shown}' is inside of '{os.path.relpath(out.abs)}', which stage "
                f"'{address}' writes",
                hint=f"record it as it is with: mlx commit {address}",
            )
        elif inside(out.abs, path):
            raise MlxError(
                f"'{shown}' holds '{os.path.relpath(out.abs)}', which '{address}' tracks already",
                hint=f"track the rest only, or first: mlx remove {address}",
            )


def _outs(session: RunSession) -> list[tuple[Stage, Out]]:
    return [(stage, out) for stage in session.declared.stages for out in stage.outs]


def _owner(session: RunSession, path: str) -> Out | None:
    return next((out for _, out in _outs(session) if inside(path, out.abs)), None)


def _refuse_overlaps(paths: Sequence[str]) -> None:
    for number, one in enumerate(paths):
        for other in paths[number + 1 :]:
            if overlap(one, other):
                raise MlxError(
                    f"'{os.path.relpath(one)}' and '{os.path.relpath(other)}' overlap",
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
            hint=f"run: git rm -r --cached {shown}   and then add it again",
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

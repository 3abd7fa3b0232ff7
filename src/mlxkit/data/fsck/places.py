"""Where objects are checked and put right: a folder of this machine, or a server."""

import os
import shutil
from collections.abc import Sequence
from typing import Any, Protocol

from mlxkit.core.errors import MlxError, RemoteError, UsageError
from mlxkit.core.files import discard
from mlxkit.core.progress import SILENT, Progress
from mlxkit.data.fsck.check import (
    CORRUPT,
    UNREADABLE,
    Checked,
    Object,
    Problem,
    check_file,
    check_files,
    objects_of,
)
from mlxkit.data.gc.inventory import Inventory, take_stock
from mlxkit.pipeline.session import Session
from mlxkit.store.errors import DiskFull, explained
from mlxkit.store.ingest import protect
from mlxkit.store.links import temporary_name


class Place(Protocol):
    """A cache or a remote; methods raise MlxError where it cannot be used."""

    def stock(self) -> Inventory:
        """List what is there."""

    def objects(self, stock: Inventory) -> list[Object]:
        """Return what is to be checked."""

    def check(self, objects: Sequence[Object], progress: Progress) -> Checked:
        """Read objects to the end."""

    def take(self, one: Object, target: str) -> None:
        """Move an object to the file `target`, as it is."""

    def get(self, one: Object, target: str) -> None:
        """Copy an object to the file `target`, as it is."""

    def put(self, source: str, one: Object) -> None:
        """Put a file there as this object; it appears whole or not at all."""


class Folder:
    """A cache, or a remote that is a folder: `files/md5`, and DVC 2's objects beside it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def stock(self) -> Inventory:
        return take_stock(self.folder)

    def objects(self, stock: Inventory) -> list[Object]:
        return objects_of(stock)

    def check(self, objects: Sequence[Object], progress: Progress = SILENT) -> Checked:
        return check_files(objects, progress)

    def take(self, one: Object, target: str) -> None:
        with explained("move", one.path):
            try:
                shutil.move(one.path, target)
            except OSError:
                discard(target)  # on another disk, which is full: half of it
                raise

    def get(self, one: Object, target: str) -> None:
        with explained("copy", self._path(one)):
            shutil.copyfile(self._path(one), target)

    def put(self, source: str, one: Object) -> None:
        path = self._path(one)
        temporary = os.path.join(os.path.dirname(os.path.dirname(path)), temporary_name())
        with explained("write", path):
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                shutil.copyfile(source, temporary)
                protect(temporary)
                os.replace(temporary, path)
            finally:
                if os.path.exists(temporary):
                    os.unlink(temporary)

    def _path(self, one: Object) -> str:
        top = self.folder if one.legacy else os.path.join(self.folder, "files", "md5")
        return os.path.join(top, one.md5[:2], one.md5[2:])


class Server:
    """A remote behind one of DVC's file systems."""

    def __init__(self, config: dict[str, Any], name: str, jobs: int | None) -> None:
        from mlxkit.tools.dvc_fsck import RemoteObjects

        self._name = name
        self._remote = RemoteObjects(config, name, jobs)

    def stock(self) -> Inventory:
        return Inventory({self._name: self._remote.list()}, [], 0)

    def objects(self, stock: Inventory) -> list[Object]:
        return [Object(name, "") for name in sorted(stock.folders[self._name])]

    def check(self, objects: Sequence[Object], progress: Progress = SILENT) -> Checked:
        progress.begin("checking", files=len(objects))
        problems = []
        total = 0
        for name, digest, size in self._remote.digests(one.md5 for one in objects):
            total += size
            progress.advance(1, size)
            if digest != name[:32]:
                problems.append(Problem(name, CORRUPT if digest else UNREADABLE))
        progress.end()
        return Checked(len(objects), total, sorted(problems))

    def take(self, one: Object, target: str) -> None:
        self._remote.take(one.md5, target)

    def get(self, one: Object, target: str) -> None:
        with explained("copy", target):
            self._remote.get(one.md5, target)

    def put(self, source: str, one: Object) -> None:
        self._remote.put(source, one.md5)


def remote_place(session: Session, name: str, jobs: int | None) -> Place:
    """Return the remote called `name`; raises UsageError, RemoteError."""
    config = session.declared.config
    remotes = config.get("remote", {})
    if name not in remotes:
        raise UsageError(f"there is no remote '{name}'", hint="see: mlx remote list")
    settings = remotes[name]
    if settings.get("worktree") or settings.get("version_aware"):
        raise UsageError(
            f"remote '{name}' keeps versions of files, not objects",
            hint="its storage checks them itself",
        )
    url = str(settings.get("url", "")).removeprefix("file://")
    if "://" in url:
        return Server(config, name, jobs)
    if not os.path.isdir(url):
        raise RemoteError(
            f"remote '{name}': there is no folder '{url}'", hint="mount it, or push to it first"
        )
    return Folder(url)


def default_remote(session: Session) -> str:
    """Return the name of the remote that is used when none is named, or ""."""
    return str(session.declared.config.get("core", {}).get("remote") or "")


def repair(
    problem: Problem, place: Place, source: Place | None, aside: str, legacy: bool
) -> Problem:
    """Move a bad object to the folder `aside`, and put a good one from `source` in its place.

    The object is looked at again before: someone may have put it right meanwhile. Raises
    MlxError where it cannot even be moved, DiskFull.
    """
    one = Object(problem.md5, problem.path, legacy=legacy)
    if problem.path and os.path.exists(problem.path) and not check_file(one):
        return problem._replace(repaired=True)
    os.makedirs(aside, exist_ok=True)
    temporary = os.path.join(aside, temporary_name())
    try:
        good = source is not None and _fetched(source, one, temporary)
        place.take(one, _free_name(os.path.join(aside, one.md5)))
        if good:
            place.put(temporary, one)
        return problem._replace(repaired=good)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def _fetched(source: Place, one: Object, target: str) -> bool:
    """Copy a good object to `target`; tell whether there is one."""
    try:
        source.get(one, target)
    except DiskFull:
        raise
    except MlxError:
        return False
    return os.path.exists(target) and not check_file(one._replace(path=target))


def _free_name(path: str) -> str:
    number = 0
    while os.path.lexists(f"{path}.{number}" if number else path):
        number += 1
    return f"{path}.{number}" if number else path

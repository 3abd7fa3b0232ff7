"""What lies in a folder of objects: objects by name, what killed processes left, and the rest."""

import os
import re
import time
from collections.abc import Iterator
from typing import NamedTuple

from mlxkit.store.errors import explained

_FOLDER = re.compile(r"[0-9a-f]{2}\Z")
_OBJECT = re.compile(r"[0-9a-f]{30}(?:\.dir)?\Z")
# Ours; and DVC's, which puts 16 random bytes in base64 behind nothing or behind the object's name.
_TEMPORARY = re.compile(r"(?:\.mlx-[0-9a-f]+|(?:[0-9a-f]{30}(?:\.dir)?)?\.[\w-]{22})\.tmp\Z")
ABANDONED = 24 * 3600
"""Seconds after which nobody can still be writing a temporary file."""


class File(NamedTuple):
    """A file of the cache; `age` in seconds, `size` in bytes."""

    path: str
    size: int
    age: float


class Inventory(NamedTuple):
    """The objects below each folder, and files that are none.

    `folders` maps a folder to the names of its objects: DVC 3's `files/md5` first, then the
    cache itself, where DVC 2 put them.
    """

    folders: dict[str, set[str]]
    leftovers: list[File]
    strangers: int

    def has(self, name: str) -> bool:
        """Whether there is an object of this name."""
        return any(name in names for names in self.folders.values())

    def paths(self, name: str) -> list[str]:
        """Where the object of this name lies: nowhere, or in one or both layouts."""
        return [object_path(top, name) for top, names in self.folders.items() if name in names]

    def objects(self) -> Iterator[tuple[str, str]]:
        """Every object, as its folder and name."""
        for top, names in self.folders.items():
            for name in names:
                yield top, name

    @property
    def total(self) -> int:
        """How many objects there are."""
        return sum(map(len, self.folders.values()))


def object_path(top: str, name: str) -> str:
    """Where an object lies below `top`."""
    return f"{top}/{name[:2]}/{name[2:]}"


def take_stock(cache: str) -> Inventory:
    """List the objects in the cache (or local remote) at `cache`; raises UnusablePath."""
    found = Inventory({}, [], 0)
    strangers = 0
    for top in (os.path.join(cache, "files", "md5"), cache):
        names: set[str] = set()
        found.folders[top] = names
        for name, entry in _entries(top):
            if _FOLDER.match(name) and entry.is_dir():
                for rest, inner in _entries(entry.path):
                    if _OBJECT.match(rest) and not inner.is_dir():
                        names.add(name + rest)
                    else:
                        strangers += _put_by(found, rest, inner)
            elif name not in ("files", "runs", "fs"):
                strangers += _put_by(found, name, entry)
    return found._replace(strangers=strangers)


def look(path: str, *, was_link: bool = False) -> File | None:
    """Size and age of a file, or None where it has gone.

    An object that is a hard link, or was one, has the time of the file that it was made of, which
    may be much older; only the time of its last change says when that became an object.
    """
    try:
        stat = os.lstat(path)
    except FileNotFoundError:
        return None
    linked = was_link or stat.st_nlink > 1
    moment = max(stat.st_mtime, stat.st_ctime) if linked else stat.st_mtime
    return File(path, stat.st_size, max(0.0, time.time() - moment))


def _put_by(found: Inventory, name: str, entry: "os.DirEntry[str]") -> bool:
    """Note what a killed process left; tell whether it is something else instead."""
    if not _TEMPORARY.match(name) or entry.is_dir():
        return True
    file = look(entry.path)
    if file is not None and file.age > ABANDONED:
        found.leftovers.append(file)
    return False


def _entries(folder: str) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    if os.path.isdir(folder):
        with explained("list", folder), os.scandir(folder) as entries:
            for entry in entries:
                yield entry.name, entry

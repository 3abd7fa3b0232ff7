"""A path's content as DVC records it, and the objects that list a directory."""

import json
import os
import re
import stat as st
from typing import NamedTuple, TypeAlias

from mlxkit.core.digest import md5_bytes
from mlxkit.store.errors import BadObject, BrokenLink, ChangedWhileRead, UnusablePath, os_error
from mlxkit.store.state import State
from mlxkit.store.walk import Ignore, walk

# (path below the directory with "/" between its parts, md5), sorted by path
Entries: TypeAlias = tuple[tuple[str, str], ...]

_EXEC = st.S_IXUSR | st.S_IXGRP | st.S_IXOTH
_MD5 = re.compile(r"[0-9a-f]{32}\Z")
# An empty part (so an absolute path, too), ".", "..", or a NUL.
_UNSAFE = re.compile(r"(?:\A|/)\.{0,2}(?:/|\Z)|\0")
_LONGEST_NAME = 255
_NEVER_TOO_LONG = _LONGEST_NAME // 4  # a character is four bytes at most


class Content(NamedTuple):
    """What is recorded of a file or directory; a directory's `md5` ends in `.dir`.

    `size` is in bytes; `nfiles` and `entries` are None for a file.
    """

    md5: str
    size: int
    nfiles: int | None = None
    isexec: bool = False
    entries: Entries | None = None


def describe(path: str, state: State, ignore: Ignore | None = None) -> Content | None:
    """What DVC would record of `path` now, or None where there is nothing.

    `ignore` replaces DVC's built-in patterns inside a directory. Raises UnusablePath, BrokenLink,
    ChangedWhileRead.
    """
    path = os.path.abspath(path)
    try:
        stat = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        if os.path.islink(path):
            raise BrokenLink(f"'{path}' is a link to nothing") from None
        return None
    except OSError as exc:
        raise os_error(exc, "read", path) from exc
    if st.S_ISDIR(stat.st_mode):
        return _describe_directory(path, state, ignore)
    if not st.S_ISREG(stat.st_mode):
        raise UnusablePath(f"'{path}' is neither a file nor a directory")
    md5, stat = _read(path, state, stat)
    return Content(md5, stat.st_size, isexec=bool(stat.st_mode & _EXEC))


def _describe_directory(path: str, state: State, ignore: Ignore | None) -> Content:
    size = 0
    entries: list[tuple[str, str]] = []
    for relpath, file, stat in walk(path, ignore):
        if stat is None:
            raise BrokenLink(f"'{file}' is a link to nothing")
        md5, now = _read(file, state, stat)
        entries.append((relpath, md5))
        size += now.st_size
    entries.sort()
    name = md5_bytes(tree_bytes(entries)) + ".dir"
    return Content(name, size, nfiles=len(entries), entries=tuple(entries))


def _read(path: str, state: State, stat: os.stat_result) -> tuple[str, os.stat_result]:
    try:
        return state.read(path, stat)
    except FileNotFoundError as exc:
        raise ChangedWhileRead(f"'{path}' vanished while it was read") from exc


def tree_bytes(entries: Entries | list[tuple[str, str]]) -> bytes:
    """The bytes of the object that lists `entries`, which are sorted by path."""
    # The same text as DVC's `json.dumps(..., sort_keys=True)`: the keys are in order here.
    return json.dumps([{"md5": md5, "relpath": path} for path, md5 in entries]).encode("ascii")


def parse_tree(data: bytes) -> Entries:
    """The entries of a directory's object, sorted by path; raises BadObject.

    The object may come from anyone: each path must stay below the directory it is laid out in.
    """
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise BadObject(f"not JSON: {exc}") from exc
    if not isinstance(raw, list):
        raise BadObject("not a list of files")
    files: dict[str, str] = {}
    for item in raw:
        path, md5 = _parse_entry(item)
        if path in files:
            raise BadObject(f"the path {path!r} appears twice")
        files[path] = md5
    _refuse_nesting(files)
    return tuple(sorted(files.items()))


def _parse_entry(item: object) -> tuple[str, str]:
    if not isinstance(item, dict):
        raise BadObject(f"an entry is not an object: {item!r:.80}")
    path, md5 = item.get("relpath"), item.get("md5")
    if not isinstance(path, str) or _UNSAFE.search(path):
        raise BadObject(f"unsafe path {path!r:.300}")
    if not isinstance(md5, str) or not _MD5.match(md5):
        raise BadObject(f"the md5 of {path!r} is {md5!r:.80}")
    if len(path) > _NEVER_TOO_LONG or not path.isascii():
        _refuse_long_names(path)
    return path, md5


def _refuse_long_names(path: str) -> None:
    try:
        longest = max(map(len, os.fsencode(path).split(b"/")))
    except UnicodeEncodeError as exc:
        raise BadObject(f"the path {path!r:.300} cannot be a file's name") from exc
    if longest > _LONGEST_NAME:
        raise BadObject(f"a name of {longest} bytes in {path!r:.300}")


def _refuse_nesting(files: dict[str, str]) -> None:
    checked: set[str] = set()
    for path in files:
        parent = path
        while (cut := parent.rfind("/")) > 0:
            parent = parent[:cut]
            if parent in checked:
                break
            if parent in files:
                raise BadObject(f"{parent!r} is both a file and the directory of {path!r}")
            checked.add(parent)

"""A path's content as DVC records it, and the objects that list a directory."""

import json
import os
import re
import stat as st
from collections.abc import Callable, Generator, Sequence
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from mlxkit.core.digest import md5_bytes
from mlxkit.store.errors import BadObject, BrokenLink, not_a_file, os_error, vanished
from mlxkit.store.folder import (
    Folder,
    LateEntries,
    Part,
    all_settled,
    count_of,
    digests_of,
    fingerprint,
    pack_names,
    pack_signatures,
    recall,
    signatures_of,
    size_of,
    unpack_names,
)
from mlxkit.store.reading import hash_files
from mlxkit.store.state import State
from mlxkit.store.walk import AnyStat, Found, Ignore, Stat, compact, walk

# (path below the directory with "/" between its parts, md5), sorted by path
Entries: TypeAlias = Sequence[tuple[str, str]]

Numbered = tuple[int, str]
"""A file's place in a list, and its path."""
Read: TypeAlias = Callable[[Sequence[Numbered]], Generator[Part, None, None]]
"""Reads files and tells of each, in any order, what it holds."""

MANY = 500
"""From so many files on a directory is kept in the index in one piece."""

_EXEC = st.S_IXUSR | st.S_IXGRP | st.S_IXOTH
_MD5 = re.compile(r"[0-9a-f]{32}\Z")
# An empty part (so an absolute path, too), ".", "..", or a NUL.
_UNSAFE = re.compile(r"(?:\A|/)\.{0,2}(?:/|\Z)|\0")
_QUOTED = re.compile(r"[^ !#-\[\]-~]")  # what JSON does not write as it is
_PART = 10_000
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
        raise not_a_file(path, "neither a file nor a directory")
    md5, now = _read(path, state, compact(stat))
    return Content(md5, now.st_size, isexec=bool(now.st_mode & _EXEC))


def look(path: str, ignore: Ignore | None = None) -> list[Found]:
    """Return the files of a directory, sorted by path; raises BrokenLink, and as `walk` does."""
    found = walk(path, ignore)
    found.sort(key=itemgetter(0))
    for one in found:
        if one.stat is None:
            raise BrokenLink(f"'{path}/{one.relpath}' is a link to nothing")
    return found


def describe_found(
    path: str, found: Sequence[Found], state: State, read: Read = hash_files
) -> Content:
    """Describe a directory from what `look` has found; `read` reads what the index knows not."""
    if len(found) >= MANY:
        return _describe_many(path, found, state, read)
    known: dict[int, tuple[str, int]] = {}
    unknown = []
    for number, (relpath, stat, _) in enumerate(found):
        assert stat is not None
        md5 = state.known(f"{path}/{relpath}", stat)
        if md5 is None:
            unknown.append((number, f"{path}/{relpath}"))
        else:
            known[number] = (md5, stat.st_size)
    for part in read(unknown):
        for number, record in part.unpack():
            known[number] = (record[5].hex(), record[3])
            state.remember_record(f"{path}/{found[number].relpath}", record)
    files = [known[number] for number in range(len(found))]
    entries = [(one.relpath, md5) for one, (md5, _) in zip(found, files, strict=True)]
    name = md5_bytes(tree_bytes(entries)) + ".dir"
    size = sum(size for _, size in files)
    return Content(name, size, nfiles=len(entries), entries=tuple(entries))


def _describe_directory(path: str, state: State, ignore: Ignore | None) -> Content:
    return describe_found(path, look(path, ignore), state)


def _describe_many(path: str, found: Sequence[Found], state: State, read: Read) -> Content:
    names, signatures = pack_names([one[0] for one in found]), pack_signatures(found)
    known = state.folder(path)
    if known is not None and known.settled and known.fingerprint == fingerprint(signatures, names):
        return content_of(known)
    records, unknown = recall(known, signatures, names)
    for part in read([(number, f"{path}/{found[number].relpath}") for number in unknown]):
        part.put_into(records)
    text = object_text(names, records)
    folder = make_folder(names, bytes(records), text)
    state.remember_folder(path, folder)
    return content_of(folder, text)


def make_folder(names: bytes, records: bytes, text: bytes) -> Folder:
    """Put together what the index keeps of a directory, packed as in `folder.py`.

    `text` is the directory's own object.
    """
    return Folder(
        fingerprint(signatures_of(records), names),
        md5_bytes(text),
        size_of(records),
        count_of(records),
        all_settled(records),
        records + names,
    )


def object_text(names: bytes, records: bytes | bytearray) -> bytes:
    """The bytes of the object that lists a directory's files, which are packed."""
    return _text(unpack_names(names), digests_of(records))


def content_of(folder: Folder, text: bytes | None = None) -> Content:
    """Return what DVC records of a directory that the index knows; `text` is its own object."""
    entries = LateEntries(folder, text)
    return Content(folder.md5 + ".dir", folder.size, folder.nfiles, entries=entries)


def _read(path: str, state: State, stat: Stat) -> tuple[str, AnyStat]:
    try:
        return state.read(path, stat)
    except FileNotFoundError as exc:
        raise vanished(path) from exc


def tree_bytes(entries: Entries) -> bytes:
    """The bytes of the object that lists `entries`, which are sorted by path."""
    if isinstance(entries, LateEntries) and entries.text is not None:
        return entries.text
    return _text([path for path, _ in entries], [md5 for _, md5 in entries])


def digests(entries: Entries) -> list[str]:
    """The digests of `entries`, without unpacking more of them than that."""
    if isinstance(entries, LateEntries):
        return entries.digests()
    return [md5 for _, md5 in entries]


def _text(paths: Sequence[str], digests: Sequence[str]) -> bytes:
    # The same text as DVC's `json.dumps(..., sort_keys=True)`: the keys are in order here. In
    # parts, because so many small strings are several times the size of the text.
    parts = []
    for start in range(0, len(paths), _PART):
        some = paths[start : start + _PART]
        if _QUOTED.search("".join(some)):
            some = [json.dumps(path)[1:-1] for path in some]
        pairs = zip(digests[start : start + _PART], some, strict=True)
        lines = [f'{{"md5": "{md5}", "relpath": "{path}"}}' for md5, path in pairs]
        parts.append(", ".join(lines).encode("ascii"))
    return b"[" + b", ".join(parts) + b"]"


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

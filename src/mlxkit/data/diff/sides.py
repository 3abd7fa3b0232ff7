"""One side of a comparison: every tracked file and directory with its content's digest."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from mlxkit.core.digest import new_md5
from mlxkit.data.history.revision import Recorded
from mlxkit.pipeline.session import Session
from mlxkit.store.errors import BadObject, MissingObject
from mlxkit.store.tree import Content, Entries, parse_tree, tree_bytes

_BLOCK = 1 << 20
_TEXT = bytes(range(32, 127)) + b"\n\r\t\f\b"


class Hash(NamedTuple):
    """A digest; `legacy` is DVC 2's, of text with Unix line ends, and equals no other."""

    md5: str
    legacy: bool = False


class Entry(NamedTuple):
    """A file or directory; `hash` is None where nothing is recorded, `size` where unknown."""

    hash: Hash | None
    is_dir: bool = False
    size: int | None = None


class Side(NamedTuple):
    """Entries by path relative to the project.

    `folders` are directories without a digest of their own, on the way to an entry; `unlisted`
    are those whose files are unknown, because their list is not in the cache.
    """

    entries: dict[str, Entry]
    folders: set[str]
    unlisted: set[str]


def side_at(
    session: Session,
    recorded: Mapping[str, Recorded],
    prefixes: Sequence[str] | None = None,
    *,
    unlisted: Collection[str] = (),
) -> Side:
    """Return what is recorded, at or below `prefixes` only; `unlisted` need not be looked into."""
    entries: dict[str, Entry] = {}
    unknown: set[str] = set()
    for path, one in recorded.items():
        if not _touches(path, prefixes):
            continue
        content = Hash(one.md5, one.legacy) if one.md5 is not None else None
        if one.entries is not None:
            content = Hash(_md5_of(one.entries), one.legacy)
        entries[path] = Entry(content, one.is_dir, one.size)
        if not one.is_dir or content is None or path in unlisted:
            continue
        try:
            files = one.entries if one.entries is not None else read_tree(session, content)
        except (MissingObject, BadObject):
            unknown.add(path)
            continue
        _add_files(entries, path, files, one.legacy)
    return _side(entries, unknown, prefixes)


def side_now(
    session: Session, recorded: Mapping[str, Recorded], prefixes: Sequence[str] | None = None
) -> Side:
    """Return what is in the working tree now at the places of what is `recorded`."""
    entries: dict[str, Entry] = {}
    for path, one in recorded.items():
        if not _touches(path, prefixes):
            continue
        place = os.path.join(session.root, path)
        content = session.workspace.content(place)
        if content is None:
            continue
        if one.legacy:
            content = _with_unix_line_ends(place, content)
        digest = Hash(content.md5, one.legacy)
        entries[path] = Entry(digest, content.entries is not None, content.size)
        _add_files(entries, path, content.entries or (), one.legacy)
    return _side(entries, set(), prefixes)


def cache_path(session: Session, content: Hash) -> str:
    """Return where the object of a content lies; those of DVC 2 are beside `files/md5`."""
    path = session.workspace.store.path(content.md5)
    if not content.legacy:
        return path
    cache = os.path.dirname(os.path.dirname(session.workspace.store.root))
    return os.path.join(cache, content.md5[:2], content.md5[2:])


def read_tree(session: Session, content: Hash) -> Entries:
    """Return the files of a directory's object; raises MissingObject, BadObject."""
    if not content.legacy:
        return session.workspace.store.read_tree(content.md5)
    try:
        with open(cache_path(session, content), "rb") as file:
            return parse_tree(file.read())
    except OSError as error:
        raise MissingObject(f"the object {content.md5} is not in the cache") from error


def _side(entries: dict[str, Entry], unlisted: set[str], prefixes: Sequence[str] | None) -> Side:
    folders = set(_parents(entries)) - entries.keys()
    if prefixes is not None:
        entries = {path: one for path, one in entries.items() if _within(path, prefixes)}
    return Side(entries, folders, unlisted)


def _add_files(entries: dict[str, Entry], path: str, files: Entries, legacy: bool) -> None:
    for name, md5 in files:
        entries[f"{path}/{name}"] = Entry(Hash(md5, legacy))


def _parents(paths: Iterable[str]) -> Iterable[str]:
    seen: set[str] = set()
    for path in paths:
        folder = os.path.dirname(path)
        while folder and folder not in seen:
            seen.add(folder)
            folder = os.path.dirname(folder)
    return seen


def _touches(path: str, prefixes: Sequence[str] | None) -> bool:
    """Tell whether an output is wanted, or something in it."""
    return prefixes is None or any(
        _is_in(path, prefix) or _is_in(prefix, path) for prefix in prefixes
    )


def _within(path: str, prefixes: Sequence[str]) -> bool:
    return any(_is_in(path, prefix) for prefix in prefixes)


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _md5_of(files: Entries) -> str:
    return new_md5(tree_bytes(files)).hexdigest() + ".dir"


def _with_unix_line_ends(place: str, content: Content) -> Content:
    """Return the content with DVC 2's digests."""
    if content.entries is None:
        return content._replace(md5=unix_md5(place))
    files = tuple((name, unix_md5(os.path.join(place, name))) for name, _ in content.entries)
    return content._replace(md5=_md5_of(files), entries=files)


def unix_md5(path: str) -> str:
    """Return DVC 2's digest of a file: carriage returns at ends of lines of text do not count."""
    hasher = new_md5()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):  # DVC decides for each block anew
            hasher.update(block.replace(b"\r\n", b"\n") if _is_text(block[:512]) else block)
    return hasher.hexdigest()


def _is_text(block: bytes) -> bool:
    return b"\0" not in block and len(block.translate(None, _TEXT)) / len(block) <= 0.30

"""A file or folder on disk, whoever put it there: its digest, and the folder that holds it."""

import os

from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import UsageError
from mlxkit.lineage.answer import Item
from mlxkit.lineage.index import Index
from mlxkit.lineage.inside import folders_with
from mlxkit.lineage.query import Asked
from mlxkit.lineage.schema import OUT
from mlxkit.store.state import State
from mlxkit.store.tree import describe

_TEXT = 64 << 20
"""Bytes: larger files are not read a second time for the digest of their text."""


def on_disk(index: Index, path: str) -> Asked:
    """Return the digest of what is at `path`, anywhere; raises UsageError, UnusablePath."""
    state = State.load(os.path.join(index.root, ".mlx", "state"))
    content = describe(path, state)
    if content is None:
        raise UsageError(f"there is nothing at '{path}'", hint="name a file or a folder")
    try:
        state.save()
    except OSError:
        pass  # it will be hashed again
    real = os.path.realpath(path)
    top = os.path.realpath(index.git_root)
    name = os.path.relpath(real, top) if real.startswith(top + os.sep) else ""
    md5 = content.md5
    if not _known(index, md5) and content.nfiles is None:
        text = _as_text(path, content.size)
        if text is not None and _known(index, text):
            note = "found by the digest that DVC 2 gave its text, with Unix line ends"
            return Asked(text, name, content.size, notes=(note,))
    folder = _folder(index, md5, name) if content.nfiles is None else None
    return Asked(md5, name, content.size, folder, _notes(index, md5, name, folder))


def _known(index: Index, md5: str) -> bool:
    return index.db.execute("SELECT 1 FROM things WHERE md5 = ?", (md5,)).fetchone() is not None


def _as_text(path: str, size: int) -> str | None:
    if size > _TEXT:
        return None
    with open(path, "rb") as file:
        data = file.read()
    return md5_bytes(data.replace(b"\r\n", b"\n")) if b"\r\n" in data else None


def _folder(index: Index, md5: str, name: str) -> Item | None:
    """Return the tracked folder that holds the file: that at its place first."""
    made = "SELECT 1 FROM things JOIN introduced ON thing = things.id WHERE md5 = ?"
    if index.db.execute(made, (md5,)).fetchone():
        return None  # tracked by itself
    found = None
    for folder, path in folders_with(index, md5):
        if path == name:
            found = folder  # the newest there
        found = found or folder
    return found


def _notes(index: Index, md5: str, name: str, folder: Item | None) -> tuple[str, ...]:
    if not name or folder is not None or _known(index, md5):
        return ()
    row = index.db.execute(
        "SELECT 1 FROM things JOIN uses ON thing = things.id WHERE role = ? AND path = ?",
        (OUT, name),
    ).fetchone()
    if row is None:
        return ()
    return (f"its content is on no record; what is recorded of it: mlx lineage HEAD:{name}",)

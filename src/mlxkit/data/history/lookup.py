"""What object a user means: by its digest, by a tracked path, or by a path at a revision."""

import os
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mlxkit.core.errors import UsageError
from mlxkit.data.gc.inventory import take_stock
from mlxkit.data.gc.reach import cache_folder
from mlxkit.data.history.revision import Recorded, recorded_at, recorded_now
from mlxkit.pipeline.session import Session

_DIGEST = re.compile(r"[0-9a-f]{4,32}(?:\.dir)?\Z")
_WHOLE = re.compile(r"[0-9a-f]{32}(?:\.dir)?\Z")


class Named(NamedTuple):
    """An object, and the path that was named, relative to the project; empty for a digest."""

    md5: str
    path: str = ""


def find_named(session: Session, words: Iterable[str]) -> list[Named]:
    """Return what each word names: a path that is tracked, `REV:PATH`, a digest or its beginning.

    Raises UsageError where one is nothing, or several things.
    """
    now = recorded_now(session)
    return [_named(session, now, word) for word in words]


def _named(session: Session, now: Mapping[str, Recorded], what: str) -> Named:
    found = _at_path(session, now, what, what)
    revision, colon, path = what.partition(":")
    if found is None and colon and path:
        found = _at_path(session, recorded_at(session, revision), path, what)
    elif found is None and _DIGEST.match(what):
        found = _by_digest(session, what)
    if found is None:
        raise UsageError(
            f"'{what}' is no tracked path, no REV:PATH and no digest of an object",
            hint="see what is tracked: mlx ls -R .",
        )
    return found


def _at_path(
    session: Session, recorded: Mapping[str, Recorded], path: str, what: str
) -> Named | None:
    """Look below the current folder first, then, as Git does, from the project's root."""
    for base in (os.getcwd(), session.root):
        wanted = out = os.path.relpath(os.path.join(base, path), session.root)
        while out and out not in recorded:
            out = os.path.dirname(out)
        if out:
            md5 = recorded[out].md5
            if md5 is None:
                raise UsageError(
                    f"nothing is recorded of '{what}' yet", hint="run what makes it: mlx repro"
                )
            if wanted == out:
                return Named(md5, wanted)
            return _within(session, md5, os.path.relpath(wanted, out), wanted)
    return None


def _within(session: Session, directory: str, part: str, path: str) -> Named | None:
    if not directory.endswith(".dir"):
        return None
    files = dict(session.workspace.store.read_tree(directory))
    if part not in files:
        raise UsageError(f"there is no file '{path}' in the directory {directory}")
    return Named(files[part], path)


def _by_digest(session: Session, what: str) -> Named | None:
    known = {name for _, name in take_stock(cache_folder(session)).objects()}
    tracked = {one.md5: path for path, one in recorded_now(session).items() if one.md5}
    if what in known or what in tracked:
        return Named(what, tracked.get(what, ""))
    found = sorted(name for name in {*known, *tracked} if name.startswith(what))
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} objects begin with '{what}'",
            hint=f"give more of it: {', '.join(found[:3])}",
        )
    if found:
        return Named(found[0], tracked.get(found[0], ""))
    return Named(what) if _WHOLE.match(what) else None

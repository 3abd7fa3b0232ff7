"""What it takes to make a workspace path hold an object; looks only, and touches nothing."""

import os
import re
import stat as st
import time
from collections.abc import Mapping
from typing import NamedTuple

from mlxkit.store.errors import BadObject, NoSuchPart, explained
from mlxkit.store.links import can_clone
from mlxkit.store.objects import ObjectStore, is_directory
from mlxkit.store.relink import set_exec
from mlxkit.store.tree import Entries, describe_found
from mlxkit.store.walk import AnyStat, Ignore, walk

# What DVC never collects, and what would make `git` or `dvc` act on a stranger's word if it were
# laid out: a repository's own files.
_REPOSITORY = re.compile(r"(?:\A|/)(?:\.git(?:/|\Z)|\.(?:hg|dvc)/)", re.IGNORECASE)

Held = tuple[str, AnyStat] | None
"""What a file holds now: its md5 and stat; None for a link to nothing."""


class Plan(NamedTuple):
    """What it takes to make `dest` hold an object.

    `make` are files to lay out (path below `dest`, md5), `drop` files that are too many. `lost`
    names files whose content the cache does not have: to lay the object out destroys it.
    """

    md5: str
    dest: str
    make: list[tuple[str, str]]
    drop: list[str]
    lost: list[str]
    directory: bool
    whole: bool
    """Whether `dest` is made anew and switched in, and not changed file by file."""
    isexec: bool = False
    is_new: bool = False
    """Whether there was nothing at `dest`."""
    seen: Mapping[str, AnyStat] = {}
    """What is about to be replaced, by its path below `dest` ("" is that itself)."""
    moment: int = 0
    """When the look began, in ns since 1970."""


class Wish(NamedTuple):
    """What is wanted: an object at a path, or with `within` a part of a directory's object.

    With `relink` also unchanged files must be the kind of link that is configured; with `copy`
    they must be no links.
    """

    md5: str
    dest: str
    isexec: bool = False
    within: str | None = None
    relink: bool = False
    copy: bool = False


def compare(wish: Wish, store: ObjectStore, ignore: Ignore | None = None) -> Plan | None:
    """Compare what is there with what is wanted; None where there is nothing to do.

    Raises MissingObject, BadObject, NoSuchPart, UnusablePath.
    """
    looking = _Looking(wish, store, ignore)
    with explained("check out", wish.dest):
        return looking.directory() if is_directory(wish.md5) else looking.file()


class _Looking:
    def __init__(self, wish: Wish, store: ObjectStore, ignore: Ignore | None) -> None:
        self._wish = wish
        self._dest = wish.dest
        self._store = store
        self._ignore = ignore
        self._inside = is_directory(wish.md5)
        self._clones: bool | None = None
        self._moment = time.time_ns()

    def file(self) -> Plan | None:
        wish, dest = self._wish, self._dest
        seen: dict[str, AnyStat] = {}
        if os.path.isfile(dest):
            stat = os.stat(dest)
            seen[""] = stat
            now = (self._store.state.digest(dest, stat), stat)
            if self._holds(dest, now, wish.md5):
                if wish.isexec and not stat.st_mode & st.S_IXUSR:
                    set_exec(dest)
                return None
            lost = [] if now[0] == wish.md5 or self._is_kept(now) else [dest]
        else:
            lost = self._lost_below()
        return self._plan([("", wish.md5)], [], lost, seen, directory=False, whole=True)

    def directory(self) -> Plan | None:
        dest, entries = self._dest, self._entries()
        if not os.path.isdir(dest):
            return self._plan(list(entries), [], self._lost_below(), {}, directory=True, whole=True)
        have = self._have()
        make = [one for one in entries if not self._stays(one, have.get(one[0]))]
        wanted = {relpath for relpath, _ in entries}
        drop = [relpath for relpath in have if relpath not in wanted]
        if not make and not drop:
            return None
        if os.path.islink(dest):  # the link is replaced; what it leads to is not ours to change
            return self._plan(list(entries), [], [], {}, directory=True, whole=True)
        changed = [path for path, md5 in make if path in have and _md5(have[path]) != md5]
        lost = [f"{dest}/{path}" for path in changed + drop if not self._is_kept(have[path])]
        over = [(path, have.get(path)) for path in (*(path for path, _ in make), *drop)]
        seen = {path: now[1] for path, now in over if now is not None}
        return self._plan(make, drop, lost, seen, directory=True, whole=False)

    def _plan(
        self,
        make: list[tuple[str, str]],
        drop: list[str],
        lost: list[str],
        seen: Mapping[str, AnyStat],
        *,
        directory: bool,
        whole: bool,
    ) -> Plan:
        wish = self._wish
        is_new = not os.path.lexists(wish.dest)
        plan = Plan(wish.md5, wish.dest, make, drop, lost, directory, whole, wish.isexec, is_new)
        return plan._replace(seen=seen, moment=self._moment)

    def _entries(self) -> Entries:
        entries = self._store.verified_tree(self._wish.md5)
        for relpath, _ in entries:
            if _REPOSITORY.search(relpath):
                raise BadObject(f"the directory's object would write {relpath!r} to '{self._dest}'")
        within = self._wish.within
        if within is None:
            return entries
        part = [one for one in entries if _below(one[0], within)]
        if not part:
            raise NoSuchPart(self._dest, within)
        return part

    def _have(self) -> dict[str, Held]:
        """Return what each file of the directory, or of the part that is wanted, holds now."""
        within, state = self._wish.within, self._store.state
        found = sorted(walk(self._dest, self._ignore))
        have: dict[str, Held] = {one.relpath: None for one in found if one.stat is None}
        whole = [one for one in found if one.stat is not None]
        if within is None:
            entries = describe_found(self._dest, whole, state).entries or ()
            for one, (relpath, md5) in zip(whole, entries, strict=True):
                assert one.stat is not None
                have[relpath] = (md5, one.stat)
            return have
        for one in whole:
            if _below(one.relpath, within):
                have[one.relpath] = state.read(f"{self._dest}/{one.relpath}", one.stat)
        return {path: now for path, now in have.items() if _below(path, within)}

    def _stays(self, entry: tuple[str, str], now: Held) -> bool:
        path = f"{self._dest}/{entry[0]}"
        return now is not None and self._holds(path, now, entry[1])

    def _holds(self, path: str, now: tuple[str, AnyStat], md5: str) -> bool:
        if now[0] != md5:
            return False
        if self._wish.copy:
            return not (now[1].st_nlink > 1 or os.path.islink(path))
        return not self._wish.relink or self._is_right_kind(path, now[1], md5)

    def _is_right_kind(self, path: str, stat: AnyStat, md5: str) -> bool:
        if self._inside and stat.st_mode & st.S_IXUSR:
            # As DVC: only a file of its own has its mode recorded, a link would lose this one's.
            return True
        now, target = os.lstat(path), self._store.path(md5)
        if not self._store.relink().is_right(path, now, target):
            return False
        if st.S_ISREG(now.st_mode) and now.st_nlink == 1 and "copy" not in self._store.link_types:
            # It passes for a clone, but where there are none it is a copy that nobody asked for.
            if self._clones is None:
                self._clones = can_clone(target, path)
            return self._clones
        return True

    def _lost_below(self) -> list[str]:
        """Name what lies where something of another kind is wanted, and nothing keeps."""
        dest = self._dest
        if os.path.islink(dest) or not os.path.exists(dest):
            return []  # a link goes; what it leads to stays
        if os.path.isfile(dest):
            now = (self._store.state.digest(dest), os.stat(dest))
            return [] if self._is_kept(now) else [dest]
        found = [one for one in walk(dest, self._ignore) if one.stat is not None]
        held = [(one, self._store.state.read(f"{dest}/{one.relpath}", one.stat)) for one in found]
        return [f"{dest}/{one.relpath}" for one, now in held if not self._is_kept(now)]

    def _is_kept(self, now: Held) -> bool:
        return now is None or os.path.isfile(self._store.path(now[0]))


def _below(path: str, within: str) -> bool:
    return path == within or path.startswith(within + "/")


def _md5(now: Held) -> str | None:
    return now[0] if now is not None else None

"""Making a workspace path hold exactly what an object says."""

import os
import re
import stat as st
import time
from dataclasses import dataclass

from mlxkit.store.errors import BadObject, UnusablePath, explained
from mlxkit.store.links import Linker
from mlxkit.store.objects import ObjectStore, is_directory
from mlxkit.store.relink import set_exec
from mlxkit.store.staging import Staging, remove
from mlxkit.store.state import State
from mlxkit.store.tree import Entries
from mlxkit.store.walk import Found, Ignore, walk

__all__ = ["checkout", "remove"]

# What DVC never collects, and what would make `git` or `dvc` act on a stranger's word if it were
# laid out: a repository's own files.
_REPOSITORY = re.compile(r"(?:\A|/)(?:\.git(?:/|\Z)|\.(?:hg|dvc)/)", re.IGNORECASE)


def checkout(
    md5: str,
    dest: str,
    store: ObjectStore,
    *,
    isexec: bool = False,
    copy: bool = False,
    ignore: Ignore | None = None,
) -> bool:
    """Make `dest` hold exactly the object, a file or a directory; returns whether it changed.

    All that is missing is checked and made ready before `dest` is touched. In a directory, files
    that `ignore` (or, without it, DVC's built-in patterns) hides are left alone; all others that
    are not in the object are removed. `copy` makes copies whatever the store's link types.
    Raises MissingObject, BadObject, DiskFull, UnusablePath.
    """
    dest = os.path.abspath(dest)
    work = _Checkout(store, copy)
    with explained("check out", dest):
        if is_directory(md5):
            return work.directory(dest, store.verified_tree(md5), ignore)
        changed = work.file(dest, md5)
        if isexec:
            set_exec(dest)
        return changed


@dataclass(frozen=True, slots=True)
class _Plan:
    make: list[tuple[str, str]]  # path below the directory, md5
    drop: dict[str, Found]


class _Checkout:
    def __init__(self, store: ObjectStore, copy: bool) -> None:
        self._store = store
        self._state: State = store.state
        self._copy = copy
        self._linker = Linker(("reflink", "copy") if copy else store.link_types)
        self._began = time.time_ns()

    def file(self, dest: str, md5: str) -> bool:
        if os.path.isfile(dest) and self._holds(dest, os.stat(dest), md5):
            return False
        self._store.verify(md5)
        with Staging(dest) as staging:
            staging.switch(self._made(md5, staging.new()), dest)
        self._remember(dest, md5)
        return True

    def directory(self, dest: str, entries: Entries, ignore: Ignore | None) -> bool:
        for relpath, _ in entries:
            if _REPOSITORY.search(relpath):
                raise BadObject(f"the directory's object would write {relpath!r} to '{dest}'")
        if not os.path.isdir(dest):
            self._build(dest, entries)
            return True
        plan = self._plan(dest, entries, ignore)
        if not plan.make and not plan.drop:
            return False
        if os.path.islink(dest):
            self._build(dest, entries)  # replaces the link; what it leads to is not ours to change
        else:
            self._update(dest, plan)
        return True

    def _build(self, dest: str, entries: Entries) -> None:
        self._store.verify_files(entries)
        with Staging(dest) as staging:
            tree = staging.new()
            os.mkdir(tree)
            made = {""}
            for relpath, md5 in entries:
                _make_parents(tree, relpath, made)
                self._made(md5, f"{tree}/{relpath}")
            staging.switch(tree, dest)
        for relpath, md5 in entries:
            self._remember(f"{dest}/{relpath}", md5)

    def _plan(self, dest: str, entries: Entries, ignore: Ignore | None) -> _Plan:
        have = {found.relpath: found for found in walk(dest, ignore)}
        make = []
        for relpath, md5 in entries:
            found = have.pop(relpath, None)
            if not (found and found.stat and self._holds(found.path, found.stat, md5)):
                make.append((relpath, md5))
        return _Plan(make, have)

    def _holds(self, path: str, stat: os.stat_result, md5: str) -> bool:
        if self._copy and (stat.st_nlink > 1 or os.path.islink(path)):
            return False
        try:
            return self._state.digest(path, stat) == md5
        except FileNotFoundError:
            return False

    def _update(self, dest: str, plan: _Plan) -> None:
        _refuse_obstacles(dest, plan)
        self._store.verify_files(plan.make)
        with Staging(dest) as staging:
            ready = [(self._made(md5, staging.new()), relpath, md5) for relpath, md5 in plan.make]
            for found in plan.drop.values():
                os.unlink(found.path)
            _prune(dest, plan.drop)
            made = {""}
            for new, relpath, md5 in ready:
                path = f"{dest}/{relpath}"
                _make_parents(dest, relpath, made)
                if os.path.isdir(path) and not os.path.islink(path):
                    remove(path)  # only empty directories are left in it
                os.replace(new, path)
                self._remember(path, md5)

    def _made(self, md5: str, new: str) -> str:
        self._linker.link(self._store.path(md5), new)
        return new

    def _remember(self, path: str, md5: str) -> None:
        self._state.remember(path, os.stat(path), md5, began=self._began)


def _make_parents(top: str, relpath: str, made: set[str]) -> None:
    parent = os.path.dirname(relpath)
    if parent not in made:
        os.makedirs(f"{top}/{parent}", exist_ok=True)
        made.add(parent)


def _refuse_obstacles(dest: str, plan: _Plan) -> None:
    """Stop before anything is changed where a new file has no safe way in."""
    checked = {""}
    for relpath, _ in plan.make:
        cut = relpath.find("/")
        while cut > 0:
            parent = relpath[:cut]
            if parent not in checked:
                checked.add(parent)
                _refuse_parent(dest, parent, plan)
            cut = relpath.find("/", cut + 1)
        path = f"{dest}/{relpath}"
        if os.path.isdir(path) and not os.path.islink(path):
            _refuse_hidden(path, dest, plan)


def _refuse_parent(dest: str, parent: str, plan: _Plan) -> None:
    path = f"{dest}/{parent}"
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if not st.S_ISDIR(mode) and parent not in plan.drop:
        what = "a link" if st.S_ISLNK(mode) else "not a directory"
        raise UnusablePath(
            f"'{path}' is {what}, but files of '{dest}' belong below it", hint=f"remove '{path}'"
        )


def _refuse_hidden(path: str, dest: str, plan: _Plan) -> None:
    for root, dirs, files in os.walk(path):
        links = [name for name in dirs if os.path.islink(f"{root}/{name}")]
        for name in files + links:
            if f"{root}/{name}"[len(dest) + 1 :] not in plan.drop:
                raise UnusablePath(
                    f"'{path}' has to become a file, but holds '{root}/{name}', which is no data",
                    hint=f"move it out of '{path}'",
                )


def _prune(dest: str, dropped: dict[str, Found]) -> None:
    """Remove the directories that the removed files leave empty."""
    for folder in sorted({os.path.dirname(relpath) for relpath in dropped}, reverse=True):
        parent = folder
        while parent:
            try:
                os.rmdir(f"{dest}/{parent}")
            except OSError:
                break  # not empty
            parent = os.path.dirname(parent)

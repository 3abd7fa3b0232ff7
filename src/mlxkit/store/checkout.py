"""Making a workspace path hold exactly what an object says."""

import os
import stat as st
import time
from contextlib import suppress

from mlxkit.core.progress import SILENT, Progress
from mlxkit.store.compare import Plan, Wish, compare
from mlxkit.store.errors import ChangedWhileRead, UnusablePath, explained
from mlxkit.store.folder import RECORD, Hashed, Part, at_moment, pack_names, pack_part
from mlxkit.store.links import Linker
from mlxkit.store.objects import ObjectStore, missing
from mlxkit.store.parallel import spread
from mlxkit.store.relink import set_exec
from mlxkit.store.settled import SETTLING
from mlxkit.store.staging import Staging, remove, sweep
from mlxkit.store.tree import MANY, Content, make_folder, object_text
from mlxkit.store.walk import Ignore, compact, unwritten

__all__ = ["checkout", "lay_out", "remove", "sweep", "take_away"]


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
    Raises MissingObject, BadObject, DiskFull, UnusablePath, ChangedWhileRead.
    """
    plan = compare(Wish(md5, os.path.abspath(dest), isexec, copy=copy), store, ignore)
    if plan is None:
        sweep(os.path.abspath(dest))
        return False
    lay_out(plan, store, copy=copy)
    return True


def lay_out(
    plan: Plan, store: ObjectStore, *, copy: bool = False, progress: Progress = SILENT
) -> None:
    """Do what was planned; raises as `checkout` does, and then has changed nothing."""
    work = _Layout(store, ("reflink", "copy") if copy else store.link_types, progress)
    with explained("check out", plan.dest):
        if not plan.directory:
            work.file(plan)
        elif plan.whole:
            work.build(plan)
        else:
            work.update(plan)


def take_away(path: str, content: Content) -> None:
    """Delete the data at `path`, which is `content`; a folder stays for what else is in it."""
    with explained("delete", path):
        if content.entries is None or os.path.islink(path):
            remove(path)
            return
        if _count(path) == len(content.entries):
            remove(path)
            return
        for relpath, _ in content.entries:
            remove(f"{path}/{relpath}")
        for folder, _, _ in os.walk(path, topdown=False):
            with suppress(OSError):  # not empty
                os.rmdir(folder)


def _count(top: str) -> int:
    """How many files and links there are, whatever is data."""
    links = (
        os.path.islink(f"{folder}/{name}") for folder, names, _ in os.walk(top) for name in names
    )
    return sum(len(files) for _, _, files in os.walk(top)) + sum(links)


class _Layout:
    def __init__(self, store: ObjectStore, types: tuple[str, ...], progress: Progress) -> None:
        self._store = store
        self._state = store.state
        self._plain = set(types) <= {"reflink", "copy"}
        self._linker = Linker(types)
        self._progress = progress
        self._began = time.time_ns()

    def file(self, plan: Plan) -> None:
        self._check([plan.md5])
        with Staging(plan.dest) as staging:
            new = staging.new()
            self._made(plan.md5, new)
            _refuse_changed(plan)
            staging.switch(new, plan.dest)
        if plan.isexec:
            set_exec(plan.dest)
        self._state.remember(plan.dest, os.stat(plan.dest), plan.md5, began=self._began)

    def build(self, plan: Plan) -> None:
        dest, make = plan.dest, plan.make
        self._check([md5 for _, md5 in make])
        with Staging(dest) as staging:
            tree = staging.new()
            os.mkdir(tree)
            made = {""}
            for relpath, _ in make:
                _make_parents(tree, relpath, made)
            records = self._made_all([(md5, f"{tree}/{path}") for path, md5 in make])
            if len(make) >= MANY:
                last = time.monotonic()
                names = pack_names([relpath for relpath, _ in make])
                text = object_text(names, records)
                # Nobody else knows of these files yet: what is known of them holds as soon as
                # their last change is clearly over, and the next look hashes nothing.
                time.sleep(max(0.0, last + SETTLING - time.monotonic()))
                folder = make_folder(names, at_moment(records, time.time_ns()), text)
                self._state.remember_folder(dest, folder)
            _refuse_changed(plan)
            staging.switch(tree, dest)
        if len(make) < MANY:
            for (relpath, _), one in zip(make, RECORD.iter_unpack(records), strict=True):
                self._state.remember_record(f"{dest}/{relpath}", one)

    def update(self, plan: Plan) -> None:
        dest = plan.dest
        _refuse_obstacles(dest, plan)
        self._check([md5 for _, md5 in plan.make])
        with Staging(dest) as staging:
            new = [staging.new() for _ in plan.make]
            self._made_all([(md5, path) for (_, md5), path in zip(plan.make, new, strict=True)])
            _refuse_changed(plan)
            for gone in plan.drop:
                os.unlink(f"{dest}/{gone}")
            _prune(dest, plan.drop)
            made = {""}
            for ready, (relpath, md5) in zip(new, plan.make, strict=True):
                path = f"{dest}/{relpath}"
                _make_parents(dest, relpath, made)
                if os.path.isdir(path) and not os.path.islink(path):
                    remove(path)  # only empty directories are left in it
                os.replace(ready, path)
                if len(plan.make) < MANY:
                    self._state.remember(path, os.stat(path), md5, began=self._began)

    def _check(self, digests: list[str]) -> None:
        """Verify what is only linked; a copy is verified while it is made."""
        if not self._plain:
            self._store.verify_files([("", md5) for md5 in digests])

    def _made_all(self, files: list[tuple[str, str]]) -> bytes:
        """Make files of objects (md5, path); return their packed records in the same order."""
        numbered = [(number, md5, path) for number, (md5, path) in enumerate(files)]
        records = bytearray(len(files) * RECORD.size)

        def part(files: list[tuple[int, str, str]]) -> Part:
            made = [self._made(md5, path) for _, md5, path in files]
            return pack_part([number for number, _, _ in files], made)

        for done in spread(part, numbered):
            done.put_into(records)
            self._progress.advance(len(done.numbers), done.size)
        return bytes(records)

    def _made(self, md5: str, new: str) -> Hashed:
        try:
            digest = self._linker.link(self._store.path(md5), new)
        except (FileNotFoundError, NotADirectoryError):
            raise missing(md5) from None
        if self._plain and digest != md5:
            raise missing(md5)
        return Hashed(md5, compact(os.stat(new)), self._began)


def _make_parents(top: str, relpath: str, made: set[str]) -> None:
    parent = relpath.rpartition("/")[0]
    if parent not in made:
        os.makedirs(f"{top}/{parent}", exist_ok=True)
        made.add(parent)


def _refuse_changed(plan: Plan) -> None:
    """Stop where somebody has written since it was compared: nobody else has that content."""
    for relpath in {*plan.seen, *(relpath for relpath, _ in plan.make if not plan.whole)}:
        path = f"{plan.dest}/{relpath}" if relpath else plan.dest
        try:
            now = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        if not st.S_ISREG(now.st_mode):
            continue  # what a link leads to stays
        before = plan.seen.get(relpath)
        same = now.st_ctime_ns < plan.moment if before is None else unwritten(before, now)
        if not same:
            raise _changed(path)
    if plan.is_new and os.path.lexists(plan.dest):
        raise _changed(plan.dest)


def _changed(path: str) -> ChangedWhileRead:
    return ChangedWhileRead(
        f"'{os.path.relpath(path)}' was written to just before it would have been replaced",
        hint="look at it, and try again",
    )


def _refuse_obstacles(dest: str, plan: Plan) -> None:
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


def _refuse_parent(dest: str, parent: str, plan: Plan) -> None:
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


def _refuse_hidden(path: str, dest: str, plan: Plan) -> None:
    for root, dirs, files in os.walk(path):
        links = [name for name in dirs if os.path.islink(f"{root}/{name}")]
        for name in files + links:
            if f"{root}/{name}"[len(dest) + 1 :] not in plan.drop:
                raise UnusablePath(
                    f"'{path}' has to become a file, but holds '{root}/{name}', which is no data",
                    hint=f"move it out of '{path}'",
                )


def _prune(dest: str, dropped: list[str]) -> None:
    """Remove the directories that the removed files leave empty."""
    for folder in sorted({os.path.dirname(relpath) for relpath in dropped}, reverse=True):
        parent = folder
        while parent:
            try:
                os.rmdir(f"{dest}/{parent}")
            except OSError:
                break  # not empty
            parent = os.path.dirname(parent)

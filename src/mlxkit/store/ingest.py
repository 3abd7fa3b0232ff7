"""Making objects in the cache out of workspace files."""

import errno
import os
import stat as st
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import TypeVar

from mlxkit.core.digest import md5_bytes, md5_file
from mlxkit.core.files import TEMPORARY, discard, discard_left, make_folders
from mlxkit.core.interrupts import uninterrupted
from mlxkit.store.errors import WAIT, ChangedWhileRead, not_a_file, vanished
from mlxkit.store.folder import Hashed, signature
from mlxkit.store.links import copy, open_source, reflink, write_new, write_unnamed
from mlxkit.store.parallel import spread
from mlxkit.store.reading import ATTEMPTS
from mlxkit.store.state import State
from mlxkit.store.walk import Stat, compact, unwritten

T = TypeVar("T")
R = TypeVar("R")

PROTECTED = 0o444
SMALL = 1 << 20
"""Up to this size a file is read whole."""


class Ingest:
    """Writes objects with DVC's modes; each appears under its name at once and whole, or not.

    They lie below `root`. With `hardlink` the workspace file itself becomes the object where that
    does no harm.
    """

    def __init__(self, root: str, state: State, *, hardlink: bool, dir_mode: int) -> None:
        self._root = root
        self._state = state
        self._hardlink = hardlink
        self._dir_mode = dir_mode
        self._can_clone = True
        self._made: set[str] = set()
        self._temporaries = f"{TEMPORARY[0]}{os.urandom(8).hex()}"

    def spread(
        self, function: Callable[[list[T]], R], items: Sequence[T]
    ) -> Generator[R, None, None]:
        """As `parallel.spread`; processes that are stopped at work leave nothing behind."""
        try:
            with closing(spread(function, items)) as parts:
                yield from parts
        except BaseException:
            with uninterrupted():
                discard_left(self._root, self._temporaries)
            raise

    def file(self, source: str, target: str, md5: str) -> None:
        """Make the object `target` from a file that must hold `md5`.

        Raises OSError, ChangedWhileRead.
        """
        began = time.time_ns()
        self._make_parent(target)
        temporary = self._temporary()
        try:
            if self._fill(source, temporary) != md5:
                raise ChangedWhileRead(f"'{source}' changed while it was being added", hint=WAIT)
            self._finish(temporary, target, md5, began)
        finally:
            discard(temporary)

    def take(self, source: str) -> Hashed:
        """Make an object from a file whose digest is not known: one reading for both.

        Raises OSError, UnusablePath, ChangedWhileRead.
        """
        for _ in range(ATTEMPTS):
            try:
                taken = self._taken(source)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                raise _gone(source, error) from error
            if taken is not None:
                return taken
        raise ChangedWhileRead(f"'{source}' keeps changing while it is being added", hint=WAIT)

    def _taken(self, source: str) -> Hashed | None:
        """Try to make the object; None where somebody wrote to the file meanwhile."""
        moment = time.time_ns()
        fd = open_source(source)
        try:
            before = compact(os.fstat(fd))
            if not st.S_ISREG(before.st_mode):
                raise not_a_file(source)
            if before.st_size > SMALL or self._hardlink or self._can_clone:
                md5 = self._take_large(source)
            else:
                md5 = self._take_small(os.read(fd, before.st_size + 1))
        finally:
            os.close(fd)
        after = compact(os.stat(source))  # it may be another file by now
        if self._unchanged(before, after):
            return Hashed(md5, after, moment)
        target = self._place(md5)
        if self._hardlink and os.path.samefile(source, target):
            discard(target)  # the object is the very file that was written to
        return None

    def _unchanged(self, before: Stat, after: Stat) -> bool:
        """Whether nobody wrote to the file; to link it, and to protect it, changes its ctime."""
        if self._hardlink:
            return unwritten(before, after)
        return signature(before) == signature(after)

    def _take_large(self, source: str) -> str:
        make_folders(self._root, self._dir_mode)
        temporary = self._temporary()
        try:
            md5 = self._fill(source, temporary)
            target = self._place(md5)
            if _same_file(temporary, target, md5):
                os.unlink(temporary)
            else:
                self._make_parent(target)
                protect(temporary)
                os.replace(temporary, target)
        except BaseException:
            discard(temporary)
            raise
        return md5

    def _take_small(self, data: bytes) -> str:
        md5 = md5_bytes(data)
        target = self._place(md5)
        if not _holds(target, data):
            self._make_parent(target)
            if write_unnamed(target, data, PROTECTED):
                return md5
            temporary = self._temporary()
            write_new(temporary, data, mode=PROTECTED)
            try:
                os.replace(temporary, target)
            except BaseException:
                discard(temporary)
                raise
        return md5

    def data(self, data: bytes, target: str, md5: str) -> None:
        """Make the object `target` of `data`; raises OSError."""
        began = time.time_ns()
        self._make_parent(target)
        temporary = self._temporary()
        try:
            write_new(temporary, data)
            self._finish(temporary, target, md5, began)
        finally:
            discard(temporary)

    def _place(self, md5: str) -> str:
        return f"{self._root}/{md5[:2]}/{md5[2:]}"

    def _make_parent(self, target: str) -> None:
        folder = target.rpartition("/")[0]
        if folder not in self._made:
            make_folders(folder, self._dir_mode)
            self._made.add(folder)

    def _temporary(self) -> str:
        # Not among the objects: whoever lists those would take a half-written one for real.
        return f"{self._root}/{self._temporaries}{os.urandom(8).hex()}{TEMPORARY[1]}"

    def _finish(self, temporary: str, target: str, md5: str, began: int) -> None:
        protect(temporary)
        os.replace(temporary, target)
        self._state.remember(target, os.stat(target), md5[:32], began=began)

    def _fill(self, source: str, temporary: str) -> str:
        if self._hardlink and self._try_hardlink(source, temporary):
            return self._state.known(source, os.stat(temporary)) or md5_file(temporary)
        if self._can_clone:
            try:
                reflink(source, temporary)
                return md5_file(temporary)
            except OSError as exc:
                if exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.ENOENT, errno.EACCES):
                    raise
                # A source that is a link may lie on another device; that says nothing of the rest.
                self._can_clone = exc.errno == errno.EXDEV
        return copy(source, temporary)

    @staticmethod
    def _try_hardlink(source: str, temporary: str) -> bool:
        # DVC also links what other names or links lead to, and so makes files outside of the
        # workspace read-only; those are copied here. Empty files are never linked, as in DVC.
        stat = os.lstat(source)
        if not st.S_ISREG(stat.st_mode) or stat.st_nlink > 1 or stat.st_size == 0:
            return False
        try:
            os.link(source, temporary)
        except OSError:
            return False
        return True


def _gone(source: str, error: OSError) -> Exception:
    """Return what to say where a file is none any more; else the error itself."""
    if not os.path.lexists(source):
        return vanished(source)
    if os.path.isdir(source):
        return not_a_file(source)
    return error


def _holds(target: str, data: bytes) -> bool:
    """Whether the object is there with these very bytes; it is then read-only."""
    try:
        fd = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        stat = os.fstat(fd)
        if stat.st_size != len(data) or os.read(fd, len(data) + 1) != data:
            return False
    finally:
        os.close(fd)
    if st.S_IMODE(stat.st_mode) != PROTECTED:
        protect(target)
    return True


def _same_file(new: str, target: str, md5: str) -> bool:
    """Whether the object is there already and whole, so that a second one is not needed."""
    try:
        stat = os.stat(target)
        if stat.st_size != os.stat(new).st_size or md5_file(target) != md5:
            return False
    except OSError:
        return False
    if st.S_IMODE(stat.st_mode) != PROTECTED:
        protect(target)
    return True


def protect(path: str) -> None:
    """Make an object read-only, which DVC takes as a sign that its content was checked."""
    try:
        os.chmod(path, PROTECTED)
    except OSError:
        pass  # as DVC: in a shared cache it may be another user's

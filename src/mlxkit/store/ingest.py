"""Making objects in the cache out of workspace files."""

import errno
import os
import stat as st
import time

from mlxkit.core.digest import md5_file
from mlxkit.store.errors import ChangedWhileRead
from mlxkit.store.links import copy, reflink, temporary_name, write_new
from mlxkit.store.state import State

PROTECTED = 0o444


class Ingest:
    """Writes objects with DVC's modes; each appears under its name at once and whole, or not.

    With `hardlink` the workspace file itself becomes the object where that does no harm.
    """

    def __init__(self, state: State, *, hardlink: bool, dir_mode: int) -> None:
        self._state = state
        self._hardlink = hardlink
        self._dir_mode = dir_mode
        self._can_clone = True
        self._made: set[str] = set()

    def file(self, source: str, target: str, md5: str) -> None:
        """Make the object `target` from a file that must hold `md5`.

        Raises OSError, ChangedWhileRead.
        """
        began = time.time_ns()
        temporary = self._temporary(target)
        try:
            if self._fill(source, temporary, md5) != md5:
                raise ChangedWhileRead(
                    f"'{source}' changed while it was being added",
                    hint="wait until nothing writes to it, and try again",
                )
            self._finish(temporary, target, md5, began)
        finally:
            _unlink(temporary)

    def data(self, data: bytes, target: str, md5: str) -> None:
        """Make the object `target` of `data`; raises OSError."""
        began = time.time_ns()
        temporary = self._temporary(target)
        try:
            write_new(temporary, data)
            self._finish(temporary, target, md5, began)
        finally:
            _unlink(temporary)

    def _temporary(self, target: str) -> str:
        folder = os.path.dirname(target)
        if folder not in self._made:
            _make_directories(folder, self._dir_mode)
            self._made.add(folder)
        # Not among the objects: whoever lists those would take a half-written one for real.
        return f"{os.path.dirname(folder)}/{temporary_name()}"

    def _finish(self, temporary: str, target: str, md5: str, began: int) -> None:
        protect(temporary)
        os.replace(temporary, target)
        self._state.remember(target, os.stat(target), md5[:32], began=began)

    def _fill(self, source: str, temporary: str, md5: str) -> str:
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


def protect(path: str) -> None:
    """Make an object read-only, which DVC takes as a sign that its content was checked."""
    try:
        os.chmod(path, PROTECTED)
    except OSError:
        pass  # as DVC: in a shared cache it may be another user's


def _make_directories(path: str, mode: int) -> None:
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent != path:
        _make_directories(parent, mode)
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    try:
        os.chmod(path, mode)  # mkdir alone would take the umask off, and the group bit
    except OSError:
        pass


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass

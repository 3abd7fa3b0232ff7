"""The workspace side after a commit: files become what `cache.type` asks for, as in DVC."""

import os
import stat as st
import time
from collections.abc import Iterable, Sequence

from mlxkit.store.errors import WAIT, ChangedWhileRead
from mlxkit.store.links import Linker, copy, default_file_mode
from mlxkit.store.staging import Staging
from mlxkit.store.state import State
from mlxkit.store.walk import AnyStat, unwritten

_PLAIN = ("reflink", "copy")


class Relink:
    """Replaces workspace files by links to objects, where they are not what is configured."""

    def __init__(self, types: Sequence[str], state: State, *, file_mode: int) -> None:
        self._types = types
        self._state = state
        self._file_mode = file_mode
        self._linker = Linker(types)

    def file(self, path: str, target: str, md5: str, before: AnyStat, *, isexec: bool) -> None:
        """An output that is one file: it also gets the mode it would have after a checkout.

        `before` is its stat when it became the object. Raises OSError, ChangedWhileRead.
        """
        plain = _is_plain(os.lstat(path))
        if plain and self._types[0] == "copy":
            os.chmod(path, self._file_mode)
        elif plain and set(self._types) <= set(_PLAIN):
            # DVC makes a second copy here, which differs in nothing but its mode.
            os.chmod(path, default_file_mode())
        else:
            with Staging(path) as staging:
                self._replace(path, before, target, md5, staging)
        if isexec:
            set_exec(path)

    def tree(self, path: str, files: Iterable[tuple[str, AnyStat, str, str]]) -> None:
        """An output that is a directory: of each file its path, lstat before, object and md5.

        Raises OSError, ChangedWhileRead.
        """
        wrong = [one for one in files if not self.is_right(*one[:3])]
        if wrong:
            with Staging(path) as staging:
                for file, before, target, md5 in wrong:
                    self._replace(file, before, target, md5, staging)

    def is_right(self, path: str, before: AnyStat, target: str) -> bool:
        """Whether a file, `before` being its lstat, is the kind of link that is configured."""
        for kind in self._types:
            if kind in _PLAIN and _is_plain(before):
                return True
            # As DVC: a symbolic link to a file that is a hard link of the object is as good.
            names = os.stat(path).st_nlink if st.S_ISLNK(before.st_mode) else before.st_nlink
            if kind == "hardlink" and names > 1:
                return _same_inode(path, target)
            if kind == "symlink" and st.S_ISLNK(before.st_mode):
                return os.readlink(path) == target
        return False

    def _replace(self, path: str, before: AnyStat, target: str, md5: str, staging: Staging) -> None:
        if not os.path.islink(path) and _same_inode(path, target):
            return  # the object was made by linking this very file
        began = time.time_ns()
        new = staging.new()
        self._linker.link(target, new)
        _refuse_written(path, before)
        os.replace(new, path)
        self._state.remember(path, os.stat(path), md5, began=began)


def set_exec(path: str) -> None:
    """Let the owner execute the file; through a link that is the object itself, as in DVC."""
    try:
        os.chmod(path, os.stat(path).st_mode | st.S_IXUSR)
    except OSError:
        pass


def unprotect(path: str, *, file_mode: int) -> None:
    """Make the file, or all files of the directory, independent of the cache and writable.

    What is written to them afterwards can no longer reach an object. Raises OSError.
    """
    if os.path.isdir(path):
        files = [f"{root}/{name}" for root, _, names in os.walk(path) for name in names]
    else:
        files = [path]
    with Staging(path) as staging:
        for file in files:
            if not _is_plain(os.lstat(file)):
                new = staging.new()
                copy(file, new)
                os.replace(new, file)
            os.chmod(file, file_mode)


def _refuse_written(path: str, before: AnyStat) -> None:
    """Stop where somebody has written to a file since it became an object."""
    now = os.lstat(path)
    if not st.S_ISLNK(now.st_mode) and not unwritten(before, now):
        raise ChangedWhileRead(f"'{path}' changed while it was being added", hint=WAIT)


def _is_plain(stat: AnyStat) -> bool:
    return st.S_ISREG(stat.st_mode) and stat.st_nlink == 1


def _same_inode(path: str, target: str) -> bool:
    return os.path.samefile(path, target)

"""A place beside a path where its new content is made ready, to be switched in by a rename."""

import os
import shutil
import stat as st
from types import TracebackType

from mlxkit.core.digest import md5_bytes
from mlxkit.core.interrupts import uninterrupted


class Staging:
    """A directory on the same file system as `dest`, gone when the block ends.

    It lies beside `dest` and not in it, for a directory that is an output must never gain a file
    because we were killed; its name depends on `dest` alone, so that the next run clears it away.
    """

    def __init__(self, dest: str) -> None:
        os.makedirs(os.path.dirname(dest), exist_ok=True)
        self.path = _place(dest)
        self._count = 0

    def __enter__(self) -> "Staging":
        remove(self.path)
        os.mkdir(self.path, 0o700)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with uninterrupted():  # the impatient press Ctrl-C twice
            remove(self.path)

    def new(self) -> str:
        """A path for one more file or directory."""
        self._count += 1
        return f"{self.path}/{self._count}"

    def switch(self, new: str, dest: str) -> None:
        """Put `new` where `dest` is, whatever that is; raises OSError and then keeps `dest`."""
        if os.path.lexists(dest) and (_is_real_dir(dest) or _is_real_dir(new)):
            old = self.new()
            os.rename(dest, old)
            try:
                os.rename(new, dest)
            except BaseException:
                os.rename(old, dest)
                raise
        else:
            os.replace(new, dest)


def sweep(dest: str) -> None:
    """Remove what a process that was killed after its work on `dest` has left; raises OSError."""
    remove(_place(dest))


def _place(dest: str) -> str:
    parent, name = os.path.split(dest)
    if os.path.ismount(dest):
        parent = dest  # no rename leads into another file system
    return f"{parent}/.mlx-{md5_bytes(os.fsencode(name))[:12]}.tmp"


def remove(path: str) -> None:
    """Delete a file, a link or a whole directory, never what a link leads to; raises OSError.

    What is not there is fine.
    """
    try:
        if _is_real_dir(path):
            try:
                shutil.rmtree(path)
            except PermissionError:
                _open_up(path)
                shutil.rmtree(path)
        else:
            os.unlink(path)
    except FileNotFoundError:
        pass


def _is_real_dir(path: str) -> bool:
    try:
        return st.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


def _open_up(path: str) -> None:
    """Let the owner change every directory below, which one that is read-only would forbid."""
    os.chmod(path, 0o700)
    for root, dirs, _ in os.walk(path):
        for name in dirs:
            if not os.path.islink(f"{root}/{name}"):
                os.chmod(f"{root}/{name}", 0o700)

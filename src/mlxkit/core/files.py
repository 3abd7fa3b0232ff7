"""Writing files so that a reader, or a crash, never sees half of one."""

import os
import time

TEMPORARY = (".mlx-", ".tmp")
"""How the name of a file that is being written begins and ends; a kill may leave one behind."""


def write_atomic(
    path: str,
    data: bytes,
    *,
    mode: int | None = None,
    sync: bool = True,
    scratch: str | None = None,
) -> None:
    """Replace `path` by `data` in one step; the old content stays whole until then.

    `scratch` is a folder on the same file system to prepare it in, by default that of `path`.
    Keeps the mode of an existing file unless `mode` is given. A symbolic link is written through,
    so that a linked file stays a link. Raises OSError (disk full, no permission) and leaves no
    temporary file behind.
    """
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    if mode is None:
        mode = _mode_of(path)
    name = f"{TEMPORARY[0]}{os.urandom(8).hex()}{TEMPORARY[1]}"
    temporary = os.path.join(scratch or folder, name)
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        discard(temporary)
        raise


def make_folders(path: str, mode: int | None = None) -> None:
    """Make a folder and those above it; `mode` where the umask shall not decide. Raises OSError."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent and parent != path:
        make_folders(parent, mode)
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    if mode is not None:
        try:
            os.chmod(path, mode)  # mkdir alone would take the umask off, and the group bit
        except OSError:
            pass  # a file system without modes


def discard(path: str) -> None:
    """Remove a file that may not be there."""
    try:
        os.unlink(path)
    except OSError:
        pass


def discard_left(folder: str, start: str, older: float = 0) -> None:
    """Remove files whose names begin so, if they are older than so many seconds."""
    try:
        with os.scandir(folder) as entries:
            left = [one for one in entries if one.name.startswith(start)]
        for one in left:
            if not older or time.time() - one.stat(follow_symlinks=False).st_mtime > older:
                discard(one.path)
    except OSError:
        pass


def _mode_of(path: str) -> int:
    try:
        return os.stat(path).st_mode & 0o7777
    except FileNotFoundError:
        return 0o666 & ~_umask()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current

"""Writing files so that a reader, or a crash, never sees half of one."""

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

TEMPORARY = (".mlx-", ".tmp")
"""How the name of a file that is being written begins and ends; a kill may leave one behind."""
_A_DAY = 24 * 3600


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
    except BaseException as error:
        discard(temporary)
        if isinstance(
            error, OSError
        ):  # a full disk has no name, and the temporary one tells nobody
            error.filename, error.filename2 = path, None
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


def regular(path: str, flags: int) -> int:
    """Open only what has an end: an `opener` that raises OSError for a pipe or a device."""
    fd = os.open(path, flags | os.O_NONBLOCK)
    mode = os.fstat(fd).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is neither a file nor a folder", path)
    return fd


def discard(path: str) -> None:
    """Remove a file that may not be there."""
    try:
        os.unlink(path)
    except OSError:
        pass


def delete_folder(path: str) -> None:
    """Delete a folder as far as it goes, also where parts of it were made unwritable."""
    from shutil import rmtree

    for _ in range(2):
        rmtree(path, ignore_errors=True)
        if not os.path.lexists(path):
            return
        for inner, _, _ in os.walk(path):
            with suppress(OSError):
                os.chmod(inner, 0o700)
    rmtree(path, ignore_errors=True)


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


@contextmanager
def scratch_folder(start: str) -> Iterator[str]:
    """Make a temporary folder for a while; what killed processes left under such names goes first.

    A lock on the folder tells that somebody still works in it.
    """
    import fcntl
    import tempfile

    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in [one for one in entries if one.name.startswith(start)]:
            _delete_abandoned(entry)
    with tempfile.TemporaryDirectory(prefix=start) as path:
        held = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with suppress(OSError):
                fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
            yield path
        finally:
            os.close(held)


def _delete_abandoned(entry: "os.DirEntry[str]") -> None:
    """Delete a folder of ours that is a day old and that nobody holds."""
    import fcntl

    with suppress(OSError):
        status = entry.stat(follow_symlinks=False)
        if status.st_uid != os.getuid() or time.time() - status.st_mtime < _A_DAY:
            return
        held = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            delete_folder(entry.path)
        finally:
            os.close(held)


def _mode_of(path: str) -> int:
    try:
        return os.stat(path).st_mode & 0o7777
    except FileNotFoundError:
        return 0o666 & ~_umask()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current

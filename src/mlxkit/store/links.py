"""Making one file from another: clone, copy, hard link, symbolic link."""

import errno
import fcntl
import functools
import os
import stat as st
from collections.abc import Callable, Sequence

from mlxkit.core.digest import grows, md5_file, new_md5
from mlxkit.core.files import TEMPORARY
from mlxkit.store.errors import UnusablePath

LINK_TYPES = ("reflink", "copy", "hardlink", "symlink")

_FICLONE = 0x40049409
_TMPFILE = getattr(os, "O_TMPFILE", 0)
_WHOLE = 1 << 20
_CHUNK = 1 << 20

# The file system cannot make this kind of link; the next kind may do.
_UNSUPPORTED = {
    errno.EPERM,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOTTY,
    errno.ENOSYS,
    errno.EINVAL,
    errno.EAGAIN,
}
# Not for this pair of files, but perhaps for others: another device, too many links to an inode.
_NOT_HERE = {errno.EXDEV, errno.EMLINK}


def temporary_name() -> str:
    """A name that no other process picks, and that the next run knows as left by a kill."""
    return f"{TEMPORARY[0]}{os.urandom(12).hex()}{TEMPORARY[1]}"


@functools.cache
def _umask() -> int:
    # Reading it means setting it for a moment, for all threads: so once, as DVC does.
    current = os.umask(0)
    os.umask(current)
    return current


def default_file_mode() -> int:
    """The mode of a new file."""
    return 0o666 & ~_umask()


def default_dir_mode() -> int:
    """The mode of a new directory."""
    return 0o777 & ~_umask()


class Linker:
    """Makes links of the first of `types` that the file system can do, and remembers which."""

    def __init__(self, types: Sequence[str]) -> None:
        self._types = list(types)

    def link(self, source: str, target: str) -> str:
        """Make `target`, which must not exist, from `source`.

        A clone or copy gets a new file's usual mode, and the md5 of what was written is returned;
        of a link "". Raises OSError, UnusablePath when no type is left.
        """
        for kind in tuple(self._types):
            try:
                return _MAKERS[kind](source, target)
            except OSError as exc:
                if exc.errno not in _UNSUPPORTED | _NOT_HERE:
                    raise
                if exc.errno in _UNSUPPORTED:
                    self._types.remove(kind)
        raise UnusablePath(
            f"none of the configured link types works from '{source}' to '{target}'",
            hint="add copy as the last one: dvc config cache.type reflink,copy",
        )


def reflink(source: str, target: str) -> None:
    """Clone `source` to a new file that shares its blocks; raises OSError, also if unsupported."""
    source_fd = open_source(source)
    try:
        target_fd = _create(target)
        try:
            fcntl.ioctl(target_fd, _FICLONE, source_fd)
        except BaseException:
            os.unlink(target)
            raise
        finally:
            os.close(target_fd)
    finally:
        os.close(source_fd)


def can_clone(source: str, beside: str) -> bool:
    """Tell whether the file system can clone `source` to a place beside the file `beside`."""
    probe = os.path.join(os.path.dirname(beside), temporary_name())
    try:
        reflink(source, probe)
    except OSError:
        return False
    os.unlink(probe)
    return True


def copy(source: str, target: str) -> str:
    """Copy `source` to a new file and return the md5 of what was written; raises OSError."""
    source_fd = open_source(source)
    try:
        target_fd = _create(target)
        try:
            return _pump(source_fd, target_fd)
        except BaseException:
            os.unlink(target)
            raise
        finally:
            os.close(target_fd)
    finally:
        os.close(source_fd)


def write_new(target: str, data: bytes, mode: int | None = None) -> None:
    """Write a new file; raises OSError and then leaves none."""
    fd = _create(target)
    try:
        _write(fd, memoryview(data))
        if mode is not None:
            os.fchmod(fd, mode)
    except BaseException:
        os.unlink(target)
        raise
    finally:
        os.close(fd)


def write_unnamed(target: str, data: bytes, mode: int) -> bool:
    """Write a file without a name, then give it the name `target`; False where that cannot be.

    Nothing is left by a kill, and it changes one directory once: a temporary name and a rename
    from another directory wait for a lock that all processes share. Raises OSError.
    """
    if not _TMPFILE:
        return False
    try:
        fd = os.open(target.rpartition("/")[0], os.O_WRONLY | _TMPFILE | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        if exc.errno in _UNSUPPORTED | {errno.EISDIR}:
            return False
        raise
    try:
        _write(fd, memoryview(data))
        os.fchmod(fd, mode)
        # With a directory given, although it counts for nothing here, Python follows the link.
        os.link(f"/proc/self/fd/{fd}", target, src_dir_fd=fd, follow_symlinks=True)
    except FileExistsError:
        return False  # something damaged, or another process was faster
    except FileNotFoundError:
        return False  # no /proc
    finally:
        os.close(fd)
    return True


def open_source(path: str) -> int:
    """Open a file to read it.

    Non-blocking: what was a file a moment ago may now be a pipe nobody writes to.
    """
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)


def _create(target: str) -> int:
    return os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


def _pump(source: int, target: int) -> str:
    size = os.fstat(source).st_size
    data = os.read(source, min(size, _WHOLE) + 1)
    hasher = new_md5(data)
    _write(target, memoryview(data))
    if len(data) != size:
        left = size - len(data)
        buffer = memoryview(bytearray(_CHUNK))
        while count := os.readv(source, [buffer]):
            hasher.update(buffer[:count])
            _write(target, buffer[:count])
            left -= count
            if left < 0 and grows(source, size):
                break
    return hasher.hexdigest()


def _write(fd: int, data: memoryview) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _clone(source: str, target: str) -> str:
    reflink(source, target)
    return md5_file(target)


def _symlink(source: str, target: str) -> str:
    os.symlink(source, target)
    return ""


def _hardlink(source: str, target: str) -> str:
    stat = os.lstat(source)
    if st.S_ISLNK(stat.st_mode):
        source = os.path.realpath(source)
        stat = os.stat(source)
    if stat.st_size == 0:
        # As DVC: data sets have many empty files, and all would be links to one inode, of which
        # a file system allows so many (ext4: 65,000).
        os.close(_create(target))
    else:
        os.link(source, target)
    return ""


_MAKERS: dict[str, Callable[[str, str], str]] = {
    "reflink": _clone,
    "copy": copy,
    "hardlink": _hardlink,
    "symlink": _symlink,
}

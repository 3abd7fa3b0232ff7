"""md5, as DVC's formats name content; never used for security."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash

# A file up to this size is read in one call: for the many small files of a data set the
# system calls cost more than the hashing.
_WHOLE = 1 << 20
_CHUNK = 1 << 20


def new_md5(data: bytes = b"") -> "_Hash":
    """Return a new md5 hasher."""
    # Late: loading OpenSSL costs as much as reading the whole project, and often nothing is hashed.
    import hashlib

    return hashlib.md5(data, usedforsecurity=False)


def md5_bytes(data: bytes) -> str:
    """The md5 of `data`, 32 hex digits."""
    return new_md5(data).hexdigest()


def md5_file(path: str) -> str:
    """The md5 of a file's content, 32 hex digits; raises OSError."""
    # Non-blocking: what was a file a moment ago may now be a pipe nobody writes to.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return md5_fd(fd, os.fstat(fd).st_size)
    finally:
        os.close(fd)


def md5_fd(fd: int, size: int) -> str:
    """The md5 of what is left to read from `fd`, about `size` bytes; raises OSError.

    Of a file that grows meanwhile only the beginning counts.
    """
    began = size
    if size <= _WHOLE:
        data = os.read(fd, size + 1)
        if len(data) == size:
            return new_md5(data).hexdigest()
        hasher = new_md5(data)
        size -= len(data)
    else:
        hasher = new_md5()
    # One buffer for all chunks: a new one of this size each time costs page faults.
    buffer = memoryview(bytearray(_CHUNK))
    while count := os.readv(fd, [buffer]):
        hasher.update(buffer[:count])
        size -= count
        if size < 0 and grows(fd, began):
            break
    return hasher.hexdigest()


def grows(fd: int, size: int) -> bool:
    """Whether a file is longer than it was: its end may then move on for ever."""
    return os.fstat(fd).st_size > size

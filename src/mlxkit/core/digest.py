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
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return md5_fd(fd, os.fstat(fd).st_size)
    finally:
        os.close(fd)


def md5_fd(fd: int, size: int) -> str:
    """The md5 of what is left to read from `fd`, about `size` bytes; raises OSError."""
    if size <= _WHOLE:
        data = os.read(fd, size + 1)
        if len(data) == size:
            return new_md5(data).hexdigest()
        hasher = new_md5(data)
    else:
        hasher = new_md5()
    # One buffer for all chunks: a new one of this size each time costs page faults.
    buffer = memoryview(bytearray(_CHUNK))
    while count := os.readv(fd, [buffer]):
        hasher.update(buffer[:count])
    return hasher.hexdigest()

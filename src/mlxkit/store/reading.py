"""Reading many files: only to hash them, or into the cache in the same pass."""

import os
import stat as st
import time
from collections.abc import Generator, Sequence

from mlxkit.core.digest import md5_fd
from mlxkit.store.errors import WAIT, ChangedWhileRead, not_a_file, os_error, vanished
from mlxkit.store.folder import Hashed, Part, pack_part, signature
from mlxkit.store.parallel import spread
from mlxkit.store.walk import compact

ATTEMPTS = 3


def hash_files(files: Sequence[tuple[int, str]]) -> Generator[Part, None, None]:
    """Hash files, in any order; raises UnusablePath, ChangedWhileRead."""
    yield from spread(_hash_part, files)


def _hash_part(files: list[tuple[int, str]]) -> Part:
    return pack_part([number for number, _ in files], [hash_file(path) for _, path in files])


def hash_file(path: str) -> Hashed:
    """Hash one file that does not change meanwhile; raises UnusablePath, ChangedWhileRead."""
    try:
        # Non-blocking: what was a file a moment ago may now be a pipe nobody writes to.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            for _ in range(ATTEMPTS):
                moment = time.time_ns()
                before = os.fstat(fd)
                if not st.S_ISREG(before.st_mode):
                    raise not_a_file(path)
                os.lseek(fd, 0, os.SEEK_SET)
                md5 = md5_fd(fd, before.st_size)
                after = compact(os.fstat(fd))
                if signature(after) == signature(compact(before)):
                    return Hashed(md5, after, moment)
        finally:
            os.close(fd)
    except FileNotFoundError as exc:
        raise vanished(path) from exc
    except OSError as exc:
        raise os_error(exc, "read", path) from exc
    raise ChangedWhileRead(f"'{path}' keeps changing while it is read", hint=WAIT)

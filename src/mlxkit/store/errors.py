"""What can go wrong with stored content, as errors that name the path and the way out."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from mlxkit.core.errors import MlxError, UsageError


class BadObject(MlxError):
    """An object's name or content is not what the format allows."""

    code = "bad-object"


class MissingObject(MlxError):
    """An object is not in the cache, or its bytes are not what its name says."""

    code = "missing-object"


class NoSuchPart(UsageError):
    """A directory's object has no file of this name, and none below it."""

    def __init__(self, directory: str, part: str) -> None:
        shown = os.path.relpath(directory)
        super().__init__(
            f"there is no '{part}' in '{shown}' as it is recorded", hint=f"see: mlx ls -R {shown}"
        )


class ChangedWhileRead(MlxError):
    """A file changed or vanished while it was being read."""

    code = "changed-while-read"


class UnusablePath(MlxError):
    """A path holds something that cannot be data: no regular file, no readable directory."""

    code = "unusable-path"


class BrokenLink(UnusablePath):
    """A symbolic link leads nowhere."""

    code = "broken-link"


class DiskFull(MlxError):
    """The file system has no room left; nothing half-written stays behind."""

    code = "disk-full"


WAIT = "wait until nothing writes to it, and try again"


def not_a_file(path: str, what: str = "not a regular file") -> UnusablePath:
    """The error for a pipe, a device or the like, or a folder where a file was."""
    return UnusablePath(f"'{path}' is {what}", hint="move it away: data is in files")


def vanished(path: str) -> ChangedWhileRead:
    """The error for a path that was there a moment ago."""
    return ChangedWhileRead(f"'{path}' vanished while it was read", hint=WAIT)


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def explained(doing: str, path: str) -> Iterator[None]:
    """Turn an OSError of the block into an MlxError that says what was done to which path."""
    try:
        yield
    except OSError as exc:
        raise os_error(exc, doing, path) from exc


def os_error(exc: OSError, doing: str, path: str) -> MlxError:
    """The MlxError for `exc`, met while `doing` (an infinitive) something to `path`."""
    here = os.path.relpath(path)
    path = path if here.startswith("..") else here
    reason = exc.strerror or os.strerror(exc.errno or errno.EIO)
    named = os.fsdecode(exc.filename) if isinstance(exc.filename, (str, bytes)) else path
    if os.path.abspath(named) != os.path.abspath(path):
        reason += f": '{named}'"
    if exc.errno in _NO_ROOM:
        return DiskFull(
            f"cannot {doing} '{path}': {reason}",
            hint="free some space, or move the cache to a larger disk: dvc cache dir PATH",
        )
    return UnusablePath(f"cannot {doing} '{path}': {reason}", hint="correct its permissions")

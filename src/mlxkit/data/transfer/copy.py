"""Copying objects between two folders of objects, each checked against its name on the way."""

import errno
import os
import stat as st
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple

from mlxkit.core.digest import md5_bytes, md5_file
from mlxkit.core.errors import RemoteError
from mlxkit.core.files import TEMPORARY, discard, discard_left, make_folders
from mlxkit.core.interrupts import uninterrupted
from mlxkit.core.progress import Progress
from mlxkit.data.transfer.items import ABSENT, LOCAL, REMOTE, Failure, Item, Outcome
from mlxkit.store.errors import DiskFull
from mlxkit.store.ingest import PROTECTED, protect
from mlxkit.store.links import copy, reflink, temporary_name, write_new, write_unnamed
from mlxkit.store.parallel import spread

_SMALL = 1 << 20
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
WRONG = "its bytes are not what its name says"
TOO_LONG = "it is longer than it can be"


class _Part(NamedTuple):
    """What became of one chunk; plain data, for it comes from another process."""

    files: int
    size: int
    failed: dict[str, Failure]
    full: str | None = None


class _Refused(Exception):
    """An object is not what it should be."""


def copy_objects(
    source: str,
    target: str,
    items: Sequence[Item],
    *,
    source_side: str,
    dir_mode: int | None,
    progress: Progress,
) -> Outcome:
    """Copy objects from below `source` to below `target`; what is wrong with one stops no other.

    Each appears under its name whole and read-only, or not at all. `dir_mode` is for new folders,
    by default as the umask has it. Raises DiskFull, RemoteError, OSError.
    """
    target_side = LOCAL if source_side == REMOTE else REMOTE
    try:
        make_folders(target, dir_mode)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise full(target, target_side) from error
        if target_side == REMOTE:
            raise RemoteError(f"cannot write to '{target}': {error.strerror}") from error
        raise
    job = _Job(source, target, source_side, dir_mode, os.urandom(8).hex())
    done = Outcome()
    try:
        # Closed here and now, so that no process is at work any more when its files are removed.
        with closing(spread(job.copy, items)) as parts:
            for one in parts:
                progress.advance(one.files, one.size)
                done = done.plus(Outcome(one.files, one.size, one.failed))
                if one.full is not None:
                    raise full(target, target_side)
    except BaseException:
        with uninterrupted():
            discard_left(target, f"{TEMPORARY[0]}{job.token}")  # of processes stopped at work
        raise
    return done


class _Job(NamedTuple):
    """One command's copying; `token` begins the names of all its temporary files."""

    source: str
    target: str
    source_side: str
    dir_mode: int | None
    token: str

    def copy(self, items: list[Item]) -> _Part:
        """Copy some objects, in whatever process."""
        files = size = 0
        failed: dict[str, Failure] = {}
        for item in items:
            try:
                size += self._copy_one(item)
                files += 1
            except _Refused as error:
                failed[item.md5] = Failure(str(error), self.source_side)
            except (FileNotFoundError, NotADirectoryError):
                failed[item.md5] = Failure(ABSENT, self.source_side)
            except OSError as error:
                if error.errno in NO_ROOM:
                    return _Part(files, size, failed, full=item.md5)
                failed[item.md5] = Failure(error.strerror or str(error))
        return _Part(files, size, failed)

    def _copy_one(self, item: Item) -> int:
        """Copy one object and return its size; raises OSError, _Refused."""
        source = f"{self.source}/{item.md5[:2]}/{item.md5[2:]}"
        # Non-blocking: a stranger's folder may hold a pipe that nobody writes to.
        fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            stat = os.fstat(fd)
            if not st.S_ISREG(stat.st_mode):
                raise _Refused("it is no regular file")
            if item.limit is not None and stat.st_size > item.limit:
                raise _Refused(TOO_LONG)
            if stat.st_size <= _SMALL:
                self._write(item.md5, os.read(fd, stat.st_size + 1))
            else:
                self._clone_or_copy(item.md5, source)
        finally:
            os.close(fd)
        return stat.st_size

    def _write(self, md5: str, data: bytes) -> None:
        if md5_bytes(data) != md5[:32]:
            raise _Refused(WRONG)
        try:
            if write_unnamed(f"{self.target}/{md5[:2]}/{md5[2:]}", data, PROTECTED):
                return
        except FileNotFoundError:
            pass  # no such folder yet
        with self._temporary() as temporary:
            write_new(temporary, data, mode=PROTECTED)
            move_in(temporary, self.target, md5, self.dir_mode)

    def _clone_or_copy(self, md5: str, source: str) -> None:
        with self._temporary() as temporary:
            if _clone_or_copy(source, temporary) != md5[:32]:
                raise _Refused(WRONG)
            protect(temporary)
            move_in(temporary, self.target, md5, self.dir_mode)

    @contextmanager
    def _temporary(self) -> Iterator[str]:
        path = f"{self.target}/{TEMPORARY[0]}{self.token}{os.urandom(8).hex()}{TEMPORARY[1]}"
        try:
            yield path
        except BaseException:
            discard(path)
            raise


def _clone_or_copy(source: str, target: str) -> str:
    try:
        reflink(source, target)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        return copy(source, target)
    return md5_file(target)


def move_in(temporary: str, root: str, md5: str, dir_mode: int | None) -> None:
    """Make a checked and protected file an object; raises OSError."""
    target = f"{root}/{md5[:2]}/{md5[2:]}"
    try:
        os.replace(temporary, target)
    except FileNotFoundError:
        make_folders(os.path.dirname(target), dir_mode)
        os.replace(temporary, target)


def place(cache: str, md5: str, data: bytes, dir_mode: int | None) -> None:
    """Write an object whose bytes are checked; raises DiskFull, OSError."""
    temporary = f"{cache}/{temporary_name()}"
    try:
        make_folders(cache, dir_mode)
        write_new(temporary, data, mode=PROTECTED)
        move_in(temporary, cache, md5, dir_mode)
    except OSError as error:
        discard(temporary)
        if error.errno in NO_ROOM:
            raise full(cache, LOCAL) from error
        raise


def full(target: str, side: str) -> DiskFull | RemoteError:
    """Return the error for a disk without room, on either side."""
    what = f"there is no room left in '{os.path.relpath(target)}'"
    again = "then repeat: what is there already is not transferred again"
    if side == REMOTE:
        return RemoteError(what, hint=f"free some space there, {again}")
    return DiskFull(what, hint=f"free some space, {again}")

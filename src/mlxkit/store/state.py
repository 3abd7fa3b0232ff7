"""An index from a file's stat to the digest of its content, so that nothing is hashed twice."""

import os
import stat as st
import struct
import threading
import time
import zlib
from typing import TypeAlias

from mlxkit.core.digest import md5_fd
from mlxkit.core.files import write_atomic
from mlxkit.store.errors import ChangedWhileRead, UnusablePath, os_error

# inode, mtime_ns, ctime_ns, size, the moment the hash was begun (ns since 1970), the md5 itself
Entry: TypeAlias = tuple[int, int, int, int, int, bytes]

_MAGIC = b"mlx state 1\n"
_HEADER = struct.Struct("<QQI")  # entries, entries after the last clean-up, crc32 of the rest
_RECORD = struct.Struct("<QqqqQ16s")

_ATTEMPTS = 3
_MARGIN = 50_000_000  # more than a kernel's clock tick, which is 1 to 10 ms
_COARSE_MARGIN = 2_000_000_000  # file systems that keep whole seconds, or two
_SECOND = 1_000_000_000
_SMALLEST_CLEANUP = 10_000


class State:
    """The index; readers may share it with one thread that writes.

    It is a cache: the file can be deleted at any time, and a damaged one counts as empty.
    """

    def __init__(self, path: str, entries: dict[str, Entry] | None = None, kept: int = 0) -> None:
        self._path = path
        self._entries = entries if entries is not None else {}
        self._kept = kept
        self._changed = False
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: str) -> "State":
        """Read the index at `path` in one go; missing or damaged, it is empty."""
        try:
            with open(path, "rb") as file:
                entries, kept = _decode(file.read())
        except (OSError, ValueError, struct.error):
            return cls(path)
        return cls(path, entries, kept)

    def digest(self, path: str, stat: os.stat_result | None = None) -> str:
        """The md5 of the file's content, from the index where it vouches for it.

        `stat` saves a call when the caller has just made it; it must follow links. Raises
        FileNotFoundError, UnusablePath, ChangedWhileRead.
        """
        return self.read(path, stat)[0]

    def read(self, path: str, stat: os.stat_result | None = None) -> tuple[str, os.stat_result]:
        """The md5 of the file's content and the stat it belongs to; raises as `digest` does."""
        try:
            if stat is None:
                stat = os.stat(path)
            md5 = self.known(path, stat)
            return (md5, stat) if md5 else self._hash(path, stat)
        except FileNotFoundError:
            raise
        except OSError as exc:
            raise os_error(exc, "read", path) from exc

    def known(self, path: str, stat: os.stat_result) -> str | None:
        """The md5 that the index vouches for while the file looks like `stat`, else None."""
        entry = self._entries.get(_key(path))
        if entry is None or not _matches(entry, stat) or _racy(entry, stat):
            return None
        return entry[5].hex()

    def remember(
        self, path: str, stat: os.stat_result, md5: str, *, began: int | None = None
    ) -> None:
        """Note that the file, looking like `stat`, held the content `md5`.

        `began` (ns since 1970) is the latest moment *before* its content was looked at or made;
        without it, now: right only where nobody else can have written since.
        """
        moment = time.time_ns() if began is None else began
        entry = (*_signature(stat), moment, bytes.fromhex(md5))
        with self._lock:
            self._entries[_key(path)] = entry
            self._changed = True

    def save(self) -> None:
        """Write the index if it has changed, in one step; raises OSError, which harms nothing."""
        with self._lock:
            if not self._changed:
                return
            # Deleted files stay until the index has doubled: looking for each of them at every
            # save would cost more than they do.
            if len(self._entries) > max(2 * self._kept, _SMALLEST_CLEANUP):
                self._entries = {p: e for p, e in self._entries.items() if os.path.lexists(p)}
                self._kept = len(self._entries)
            data = _encode(self._entries, self._kept)
            self._changed = False
        # An index that is lost with the power is only rebuilt: not worth waiting for the disk.
        try:
            write_atomic(self._path, data, sync=False)
        except OSError:
            self._changed = True
            raise

    def _hash(self, path: str, before: os.stat_result) -> tuple[str, os.stat_result]:
        for _ in range(_ATTEMPTS):
            if not st.S_ISREG(before.st_mode):
                raise UnusablePath(f"'{path}' is not a regular file")
            # Non-blocking: what was a file a moment ago may now be a pipe nobody writes to.
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                began = time.time_ns()
                md5 = md5_fd(fd, before.st_size)
                after = os.fstat(fd)
            finally:
                os.close(fd)
            if _matches((*_signature(before), began, b""), after):
                self.remember(path, after, md5, began=began)
                return md5, after
            before = after
        raise ChangedWhileRead(
            f"'{path}' keeps changing while it is read", hint="wait until nothing writes to it"
        )


def _key(path: str) -> str:
    return path if path[:1] == "/" else os.path.abspath(path)


def _signature(stat: os.stat_result) -> tuple[int, int, int, int]:
    return (stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size)


def _matches(entry: Entry, stat: os.stat_result) -> bool:
    # ctime tells of an edit whose mtime was set back, but also of every link made to or taken
    # from the inode: where a shared cache is hard-linked, each checkout elsewhere would make
    # this index forget, so there it does not count.
    return (
        entry[1] == stat.st_mtime_ns
        and entry[0] == stat.st_ino
        and entry[3] == stat.st_size
        and (entry[2] == stat.st_ctime_ns or stat.st_nlink > 1)
    )


def _racy(entry: Entry, stat: os.stat_result) -> bool:
    # Timestamps come in ticks. A file written in the same tick in which it was hashed can be
    # written again, size unchanged, and look the same for ever. So an entry counts only if the
    # file's last change was clearly over when the hash was begun.
    newest = entry[1] if stat.st_nlink > 1 else max(entry[1], entry[2])
    margin = _COARSE_MARGIN if newest % _SECOND == 0 else _MARGIN
    return newest + margin > entry[4]


def _encode(entries: dict[str, Entry], kept: int) -> bytes:
    records = b"".join([_RECORD.pack(*entry) for entry in entries.values()])
    body = records + "\0".join(entries).encode("utf-8", "surrogateescape")
    return _MAGIC + _HEADER.pack(len(entries), kept, zlib.crc32(body)) + body


def _decode(data: bytes) -> tuple[dict[str, Entry], int]:
    if not data.startswith(_MAGIC):
        raise ValueError("not a state file")
    count, kept, crc = _HEADER.unpack_from(data, len(_MAGIC))
    body = memoryview(data)[len(_MAGIC) + _HEADER.size :]
    if zlib.crc32(body) != crc:
        raise ValueError("damaged state file")
    split = count * _RECORD.size
    names = str(body[split:], "utf-8", "surrogateescape").split("\0") if count else []
    return dict(zip(names, _RECORD.iter_unpack(body[:split]), strict=True)), kept

"""An index from a file's stat to the digest of its content, so that nothing is hashed twice."""

import os
import stat as st
import struct
import threading
import time
import zlib

from mlxkit.core.digest import md5_fd
from mlxkit.core.files import write_atomic
from mlxkit.store.errors import WAIT, ChangedWhileRead, not_a_file, os_error
from mlxkit.store.folder import RECORD, Folder, Record
from mlxkit.store.settled import COARSE_MARGIN, MARGIN, settled
from mlxkit.store.walk import AnyStat

Entry = Record
_MAGIC = b"mlx state 2\n"
# entries, entries after the last clean-up, their bytes, folders, crc32 of the rest
_HEADER = struct.Struct("<QQQQI")
_FOLDER = struct.Struct("<IQ16s16sQQ?")  # length of the path, of the body, the fields of Folder

_ATTEMPTS = 3
_SMALLEST_CLEANUP = 10_000


class State:
    """The index; readers may share it with one thread that writes.

    It is a cache: the file can be deleted at any time, and a damaged one counts as empty.
    Directories of many files are kept apart, each in one piece (see `folder.py`).
    """

    def __init__(
        self,
        path: str,
        entries: dict[str, Entry] | None = None,
        kept: int = 0,
        folders: dict[str, Folder] | None = None,
    ) -> None:
        self._path = path
        self._entries = entries if entries is not None else {}
        self._folders = folders if folders is not None else {}
        self._kept = kept
        self._changed = False
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: str) -> "State":
        """Read the index at `path` in one go; missing or damaged, it is empty."""
        try:
            with open(path, "rb") as file:
                return cls(path, *_decode(file.read()))
        except (OSError, ValueError, struct.error):
            return cls(path)

    def folder(self, path: str) -> Folder | None:
        """Return what is kept of a directory of many files."""
        return self._folders.get(path)

    def folder_named(self, md5: str) -> Folder | None:
        """Return a directory of many files that held this, whatever it holds now."""
        return next((one for one in self._folders.values() if one.md5 == md5), None)

    def remember_folder(self, path: str, folder: Folder) -> None:
        """Note what a directory of many files held; its files need no entry of their own."""
        with self._lock:
            self._folders[path] = folder
            self._changed = True

    def digest(self, path: str, stat: AnyStat | None = None) -> str:
        """The md5 of the file's content, from the index where it vouches for it.

        `stat` saves a call when the caller has just made it; it must follow links. Raises
        FileNotFoundError, UnusablePath, ChangedWhileRead.
        """
        return self.read(path, stat)[0]

    def read(self, path: str, stat: AnyStat | None = None) -> tuple[str, AnyStat]:
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

    def known(self, path: str, stat: AnyStat) -> str | None:
        """The md5 that the index vouches for while the file looks like `stat`, else None."""
        entry = self._entries.get(_key(path))
        if entry is None or not _matches(entry, stat) or _racy(entry, stat):
            return None
        return entry[5].hex()

    def remember(self, path: str, stat: AnyStat, md5: str, *, began: int | None = None) -> None:
        """Note that the file, looking like `stat`, held the content `md5`.

        `began` (ns since 1970) is the latest moment *before* its content was looked at or made;
        without it, now: right only where nobody else can have written since.
        """
        moment = time.time_ns() if began is None else began
        entry = (*_signature(stat), moment, bytes.fromhex(md5))
        with self._lock:
            self._entries[_key(path)] = entry
            self._changed = True

    def remember_record(self, path: str, record: Record) -> None:
        """Note what was read of a file; see `folder.RECORD`."""
        with self._lock:
            self._entries[_key(path)] = record
            self._changed = True

    def remember_ours(self, path: str, stat: AnyStat, md5: str, *, began: int) -> None:
        """As `remember`, of a file whose mode or links we have changed after it was looked at.

        That set its ctime anew. A write would have set its mtime, too, which was clearly over when
        its content was looked at, so what is known of it still holds.
        """
        if stat.st_mtime_ns + MARGIN <= began:
            began = max(began, stat.st_ctime_ns + COARSE_MARGIN)
        self.remember(path, stat, md5, began=began)

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
            for path in [path for path in self._folders if not os.path.isdir(path)]:
                del self._folders[path]
            data = _encode(self._entries, self._kept, self._folders)
            self._changed = False
        # An index that is lost with the power is only rebuilt: not worth waiting for the disk.
        try:
            write_atomic(self._path, data, sync=False)
        except OSError:
            self._changed = True
            raise

    def _hash(self, path: str, before: AnyStat) -> tuple[str, AnyStat]:
        for _ in range(_ATTEMPTS):
            if not st.S_ISREG(before.st_mode):
                raise not_a_file(path)
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
        raise ChangedWhileRead(f"'{path}' keeps changing while it is read", hint=WAIT)


def _key(path: str) -> str:
    return path if path[:1] == "/" else os.path.abspath(path)


def _signature(stat: AnyStat) -> tuple[int, int, int, int]:
    return (stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size)


def _matches(entry: Entry, stat: AnyStat) -> bool:
    # ctime tells of an edit whose mtime was set back, but also of every link made to or taken
    # from the inode: where a shared cache is hard-linked, each checkout elsewhere would make
    # this index forget, so there it does not count.
    return (
        entry[1] == stat.st_mtime_ns
        and entry[0] == stat.st_ino
        and entry[3] == stat.st_size
        and (entry[2] == stat.st_ctime_ns or stat.st_nlink > 1)
    )


def _racy(entry: Entry, stat: AnyStat) -> bool:
    newest = entry[1] if stat.st_nlink > 1 else max(entry[1], entry[2])
    return not settled(newest, entry[4])


def _encode(entries: dict[str, Entry], kept: int, folders: dict[str, Folder]) -> bytes:
    records = b"".join([RECORD.pack(*entry) for entry in entries.values()])
    loose = records + "\0".join(entries).encode("utf-8", "surrogateescape")
    parts: list[bytes | memoryview] = [loose]
    for path, one in folders.items():
        name = path.encode("utf-8", "surrogateescape")
        md5 = bytes.fromhex(one.md5)
        sizes = (len(name), len(one.body))
        parts += [
            _FOLDER.pack(*sizes, one.fingerprint, md5, one.size, one.nfiles, one.settled),
            name,
            one.body,
        ]
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    header = _HEADER.pack(len(entries), kept, len(loose), len(folders), crc)
    return b"".join([_MAGIC, header, *parts])


def _decode(data: bytes) -> tuple[dict[str, Entry], int, dict[str, Folder]]:
    if not data.startswith(_MAGIC):
        raise ValueError("not a state file")
    count, kept, length, folders, crc = _HEADER.unpack_from(data, len(_MAGIC))
    body = memoryview(data)[len(_MAGIC) + _HEADER.size :]
    if zlib.crc32(body) != crc:
        raise ValueError("damaged state file")
    split = count * RECORD.size
    names = str(body[split:length], "utf-8", "surrogateescape").split("\0") if count else []
    entries = dict(zip(names, RECORD.iter_unpack(body[:split]), strict=True))
    return entries, kept, _decode_folders(body, length, folders)


def _decode_folders(body: memoryview, start: int, count: int) -> dict[str, Folder]:
    found = {}
    for _ in range(count):
        name, length, mark, md5, size, nfiles, is_settled = _FOLDER.unpack_from(body, start)
        start += _FOLDER.size
        path = str(body[start : start + name], "utf-8", "surrogateescape")
        start += name
        inner = body[start : start + length]
        found[path] = Folder(mark, md5.hex(), size, nfiles, is_settled, inner)
        start += length
    return found

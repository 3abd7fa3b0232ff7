"""What the index keeps of a directory with many files: one digest for all, the rest when asked.

A data set is looked at far more often than it changes. While the names, inodes, times and sizes of
all its files are what they were, its digest is known, and not one entry has to be unpacked.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, cast, overload

from mlxkit.core.digest import new_md5
from mlxkit.store.walk import Found, Stat

# inode, mtime_ns, ctime_ns, size, the moment its hash was begun (ns since 1970), the md5 itself
RECORD = struct.Struct("<QqqqQ16s")
_SIGNATURE = struct.Struct("<Qqqq")

Record = tuple[int, int, int, int, int, bytes]


class Hashed(NamedTuple):
    """The md5 of a file, the stat it belongs to, and when its reading began (ns since 1970)."""

    md5: str
    stat: Stat
    moment: int


class Folder(NamedTuple):
    """One directory in the index; `settled` where no file can have changed unnoticed since."""

    fingerprint: bytes
    md5: str
    size: int
    nfiles: int
    settled: bool
    body: bytes | memoryview

    def records(self) -> dict[str, Record]:
        """Unpack all files: path below the directory -> record, sorted by path."""
        split = self.nfiles * RECORD.size
        names = str(self.body[split:], "utf-8", "surrogateescape").split("\0")
        return dict(zip(names, RECORD.iter_unpack(self.body[:split]), strict=True))

    def entries(self) -> tuple[tuple[str, str], ...]:
        """Unpack paths and digests only."""
        return tuple((path, record[5].hex()) for path, record in self.records().items())


class LateEntries(Sequence[tuple[str, str]]):
    """The entries of a folder, unpacked when somebody looks at them."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._entries: tuple[tuple[str, str], ...] | None = None

    def _all(self) -> tuple[tuple[str, str], ...]:
        if self._entries is None:
            self._entries = self._folder.entries()
        return self._entries

    @overload
    def __getitem__(self, index: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[tuple[str, str], ...]: ...
    def __getitem__(self, index: int | slice) -> object:
        return self._all()[index]

    def __len__(self) -> int:
        return self._folder.nfiles

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._all())


def fingerprint(found: Sequence[Found]) -> bytes:
    """Return a digest of all names and signatures; `found` is sorted and has no dead link."""
    hasher = new_md5()
    pack = _SIGNATURE.pack
    for start in range(0, len(found), 4096):
        part = cast("list[tuple[str, Stat, bool]]", found[start : start + 4096])
        packed = [
            pack(ino, mtime, 0 if nlink > 1 else ctime, size)
            for _, (ino, mtime, ctime, size, nlink, _), _ in part
        ]
        hasher.update(b"".join(packed))
        names = "\0".join([one[0] for one in part])
        hasher.update(names.encode("utf-8", "surrogateescape"))
    return hasher.digest()


def signature(stat: Stat) -> tuple[int, int, int, int]:
    """Return what tells that a file is as it was; of hard links ctime tells nothing."""
    ctime = 0 if stat.st_nlink > 1 else stat.st_ctime_ns
    return (stat.st_ino, stat.st_mtime_ns, ctime, stat.st_size)


def pack_body(files: Iterable[tuple[str, Hashed]]) -> bytes:
    """Pack the files of a directory, which are sorted by path."""
    names: list[str] = []
    records = bytearray()
    for path, one in files:
        names.append(path)
        records += RECORD.pack(*signature(one.stat), one.moment, bytes.fromhex(one.md5))
    return bytes(records) + "\0".join(names).encode("utf-8", "surrogateescape")

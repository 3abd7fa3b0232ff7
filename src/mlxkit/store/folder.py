"""What the index keeps of a directory with many files: one digest for all, the rest when asked.

A data set is looked at far more often than it changes. While the names, inodes, times and sizes of
all its files are what they were, its digest is known, and not one entry has to be unpacked. Where
a few have changed, only theirs are: all else is compared, and kept, as bytes.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast, overload

from mlxkit.core.digest import new_md5
from mlxkit.store.settled import settled
from mlxkit.store.walk import Found, Stat

# inode, mtime_ns, ctime_ns, size, the moment its hash was begun (ns since 1970), the md5 itself
RECORD = struct.Struct("<QqqqQ16s")
_SIGNATURE = struct.Struct("<Qqqq")
_SIGNED = struct.Struct("<32s24x")
_DIGEST = struct.Struct("<40x16s")
_SIZE = struct.Struct("<24xq24x")
_TIMES = struct.Struct("<8xqq8xQ16x")
_BUT_MOMENT = struct.Struct("<32s8x16s")
_MOMENT = struct.Struct("<Q")
_STEP = 1024

Record = tuple[int, int, int, int, int, bytes]


class Hashed(NamedTuple):
    """The md5 of a file, the stat it belongs to, and when its reading began (ns since 1970)."""

    md5: str
    stat: Stat
    moment: int

    def pack(self) -> bytes:
        """Return it as a record of the index."""
        return RECORD.pack(*signature(self.stat), self.moment, bytes.fromhex(self.md5))


class Part(NamedTuple):
    """Some files that were read: their places in a list, a record of each, their bytes in all.

    Packed, because it comes from another process: so many small objects would take longer to send
    than the files to read.
    """

    numbers: Sequence[int]
    records: bytes
    size: int

    def unpack(self) -> Iterator[tuple[int, Record]]:
        """Yield each file's place and record."""
        return zip(self.numbers, RECORD.iter_unpack(self.records), strict=True)

    def put_into(self, records: bytearray) -> None:
        """Write each record at its place."""
        numbers, size = self.numbers, RECORD.size
        if numbers and numbers[-1] - numbers[0] == len(numbers) - 1:  # one after the other
            records[numbers[0] * size : (numbers[-1] + 1) * size] = self.records
            return
        for index, number in enumerate(numbers):
            one = self.records[index * size : (index + 1) * size]
            records[number * size : (number + 1) * size] = one


def pack_part(numbers: Sequence[int], files: Sequence[Hashed]) -> Part:
    """Pack files that were read; their places rise."""
    records = b"".join([one.pack() for one in files])
    return Part(numbers, records, sum(one.stat.st_size for one in files))


class Folder(NamedTuple):
    """One directory in the index; `settled` where no file can have changed unnoticed since."""

    fingerprint: bytes
    md5: str
    size: int
    nfiles: int
    settled: bool
    body: bytes | memoryview

    def packed_records(self) -> bytes | memoryview:
        """The records of all files, sorted by path."""
        return self.body[: self.nfiles * RECORD.size]

    def packed_names(self) -> bytes:
        """The paths of all files, sorted, with a NUL between them."""
        return bytes(self.body[self.nfiles * RECORD.size :])

    def digests(self) -> list[str]:
        """Unpack the digests of all files, sorted by path."""
        return digests_of(self.packed_records())

    def entries(self) -> tuple[tuple[str, str], ...]:
        """Unpack paths and digests."""
        return tuple(zip(unpack_names(self.packed_names()), self.digests(), strict=True))


class LateEntries(Sequence[tuple[str, str]]):
    """The entries of a folder, unpacked when somebody looks at them."""

    def __init__(self, folder: Folder, text: bytes | None = None) -> None:
        """`text` is the directory's own object, where somebody has it at hand."""
        self.text = text
        self._folder = folder
        self._entries: tuple[tuple[str, str], ...] | None = None

    def digests(self) -> list[str]:
        """The digests alone."""
        return self._folder.digests()

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


def pack_names(names: Sequence[str]) -> bytes:
    """Pack the paths of a directory's files, which are sorted."""
    return "\0".join(names).encode("utf-8", "surrogateescape")


def unpack_names(packed: bytes) -> list[str]:
    """Return what `pack_names` was given."""
    return packed.decode("utf-8", "surrogateescape").split("\0")


def digests_of(records: bytes | bytearray | memoryview) -> list[str]:
    """Unpack the digests of packed records."""
    return [one.hex() for (one,) in _DIGEST.iter_unpack(records)]


def count_of(records: bytes) -> int:
    """Return of how many files there are packed records."""
    return len(records) // RECORD.size


def size_of(records: bytes) -> int:
    """Add up the sizes in packed records."""
    return sum([size for (size,) in _SIZE.iter_unpack(records)])


def all_settled(records: bytes | memoryview) -> bool:
    """Whether no file of packed records can have changed unnoticed since."""
    return not _unsettled(records)


def at_moment(records: bytes, moment: int) -> bytes:
    """Return packed records as if all files had been looked at then."""
    packed = _MOMENT.pack(moment)
    return b"".join([one + packed + md5 for one, md5 in _BUT_MOMENT.iter_unpack(records)])


def pack_signatures(found: Sequence[Found]) -> bytes:
    """Pack what tells that files are as they were; there is no dead link among them."""
    # The numbers of many at once: the hottest loop of a look at a data set that has not changed.
    parts = []
    for start in range(0, len(found), _STEP):
        part = cast("list[tuple[str, Stat, bool]]", found[start : start + _STEP])
        numbers = [
            number
            for _, (ino, mtime, ctime, size, nlink, _), _ in part
            for number in (ino, mtime, ctime if nlink < 2 else 0, size)
        ]
        parts.append(struct.pack("<" + "Qqqq" * len(part), *numbers))
    return b"".join(parts)


def signatures_of(records: bytes | bytearray | memoryview) -> bytes:
    """Return the same of packed records."""
    return b"".join([one for (one,) in _SIGNED.iter_unpack(records)])


def fingerprint(signatures: bytes, names: bytes) -> bytes:
    """Return a digest of all names and signatures of a directory's files, sorted by path."""
    hasher = new_md5(signatures)
    hasher.update(names)
    return hasher.digest()


def signature(stat: Stat) -> tuple[int, int, int, int]:
    """Return what tells that a file is as it was; of hard links ctime tells nothing."""
    ctime = 0 if stat.st_nlink > 1 else stat.st_ctime_ns
    return (stat.st_ino, stat.st_mtime_ns, ctime, stat.st_size)


def recall(known: Folder | None, signatures: bytes, names: bytes) -> tuple[bytearray, list[int]]:
    """Return packed records of a directory's files, and which of them nothing is known of.

    `signatures` and `names` are those of the files as they are now, sorted by path.
    """
    count = len(signatures) // _SIGNATURE.size
    if known is None:
        return bytearray(count * RECORD.size), list(range(count))
    if known.packed_names() != names:
        return _recall_by_name(known, signatures, unpack_names(names))
    records = bytearray(known.packed_records())
    unknown = set(_differing(signatures, signatures_of(records)))
    if not known.settled:
        unknown.update(_unsettled(records))
    return records, sorted(unknown)


def _recall_by_name(
    known: Folder, signatures: bytes, names: list[str]
) -> tuple[bytearray, list[int]]:
    old, size, length = known.packed_records(), RECORD.size, _SIGNATURE.size
    unsettled = set() if known.settled else set(_unsettled(old))
    places = {name: at for at, name in enumerate(unpack_names(known.packed_names()))}
    records, unknown = bytearray(len(names) * size), []
    for number, name in enumerate(names):
        at = places.get(name)
        now = signatures[number * length : (number + 1) * length]
        if at is None or at in unsettled or old[at * size : at * size + length] != now:
            unknown.append(number)
        else:
            records[number * size : (number + 1) * size] = old[at * size : (at + 1) * size]
    return records, unknown


def _differing(one: bytes, other: bytes) -> Iterator[int]:
    """Yield the numbers of the signatures that are not the same."""
    length = _SIGNATURE.size
    step = _STEP * length
    for start in range(0, len(one), step):
        if one[start : start + step] != other[start : start + step]:
            for at in range(start, min(start + step, len(one)), length):
                if one[at : at + length] != other[at : at + length]:
                    yield at // length


def _unsettled(records: bytes | bytearray | memoryview) -> list[int]:
    return [
        number
        for number, (mtime, ctime, moment) in enumerate(_TIMES.iter_unpack(records))
        if not settled(max(mtime, ctime), moment)
    ]

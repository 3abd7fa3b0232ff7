"""Which format a model's file has, by its content alone; what may run code when loaded is refused.

Nothing here is loaded, unpacked or decompressed beyond fixed limits.
"""

import json
import os
import re
import struct
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from mlxkit.gates.models.pickles import is_pickle, may_run

SKOPS = "skops"
ONNX = "onnx"
SAFETENSORS = "safetensors"
LIGHTGBM = "lightgbm"
XGBOOST = "xgboost"

_HEAD = 1 << 16
_HEADER = 25 << 20
"""The largest header of safetensors: hundreds of thousands of tensors. It is parsed here."""
_TREES = b"tree\nversion="
_BOOSTER = re.compile(rb'\s*\{\s*"learner"\s*:\s*\{|\{L\0{7}\x07learner\{')
"""How XGBoost begins its JSON and its UBJSON."""
_IR_VERSION = 0x08
"""What ONNX begins with: the first field that any of its writers writes."""
_OF_SKOPS = re.compile(r"schema\.json|[^/\\]+\.(npy|npz|bin)")
_MEMBERS = 100_000
_UNPACKED = 8 << 30
_RATIO = 200
_SMALL = 64 << 20
"""An archive that unpacks to less than this is no bomb, whatever its ratio."""
_COMPRESSED = {
    b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x04\x22\x4d\x18": "lz4",
    b"\x28\xb5\x2f\xfd": "zstd", b"\x78\x01": "zlib", b"\x78\x5e": "zlib", b"\x78\x9c": "zlib",
    b"\x78\xda": "zlib",
}  # fmt: skip
_ONNX_FIELDS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26})


class Refused(Exception):
    """A file that is no model in a safe format; says why."""


def format_of(path: str) -> str:
    """Return a model's format; raises Refused for what is none of the safe ones, OSError."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_HEAD)
        if not head:
            raise Refused("it is empty")
        if head.startswith(b"PK\x03\x04") or zipfile.is_zipfile(file):
            return _of_archive(file, head)
        found = _safe(file, head, size)
    if found is None:
        raise Refused(_why_not(head, whole=size <= len(head)))
    return found


def _safe(file: BinaryIO, head: bytes, size: int) -> str | None:
    """Return the safe format that a file has; nothing that begins as these do is a pickle, too."""
    if head.startswith(_TREES):
        return LIGHTGBM
    if _BOOSTER.match(head):
        return XGBOOST
    if head[0] == _IR_VERSION and _is_onnx(file, size):
        return ONNX
    if _is_safetensors(file, head, size) and not may_run(head):
        return SAFETENSORS
    return None


def _why_not(head: bytes, *, whole: bool) -> str:
    for start, name in _COMPRESSED.items():
        if head.startswith(start):
            return f"it is compressed ({name}), as pickles of joblib are"
    if is_pickle(head, whole=whole):
        return "it is a pickle: to load it runs whatever code it holds"
    if head.startswith(b"\x89HDF"):
        return "it is HDF5: a Keras model there may hold pickled code"
    return "it is in none of the safe formats: skops, ONNX, safetensors, LightGBM, XGBoost"


def _of_archive(file: BinaryIO, head: bytes) -> str:
    if not head.startswith(b"PK\x03\x04"):
        raise Refused("it is an archive behind something else")
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _refuse_bomb(members)
            for member in members:
                _refuse_member(archive, member)
            names = {one.filename for one in members}
            if len(names) != len(members):
                raise Refused("its archive has two entries of one name")
            strange = next((one for one in names if not _OF_SKOPS.fullmatch(one)), None)
            if "schema.json" in names and strange is not None:
                raise Refused(f"its archive holds what skops does not write, {strange}")
            if "schema.json" in names:
                return SKOPS
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise Refused(f"its archive is damaged: {error}") from None
    raise Refused("it is an archive, but not one of skops")


def _refuse_bomb(members: list[zipfile.ZipInfo]) -> None:
    packed = sum(one.compress_size for one in members)
    unpacked = sum(one.file_size for one in members)
    large = unpacked > _SMALL and unpacked > _RATIO * max(packed, 1)
    if len(members) > _MEMBERS or unpacked > _UNPACKED or large:
        raise Refused(f"its archive unpacks from {packed} to {unpacked} bytes: a zip bomb")


def _refuse_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    name = member.filename
    if member.flag_bits & 1:
        raise Refused(f"its archive has an encrypted entry, {name}")
    if name.startswith("/") or ".." in name.split("/"):
        raise Refused(f"its archive has an entry outside of itself, {name}")
    with archive.open(member) as inner:
        start = inner.read(_HEAD)
    if is_pickle(start, whole=member.file_size <= len(start)):
        raise Refused(f"its archive holds a pickle, {name}: to load it runs whatever code it holds")
    if start.startswith(b"\x93NUMPY") and b"'|O'" in start[:4096]:
        raise Refused(f"its archive holds an array of objects, {name}: numpy pickles those")
    if start.startswith(b"PK\x03\x04") and b"\x93NUMPY" not in start[:512]:
        raise Refused(f"its archive holds another archive, {name}")


def _is_safetensors(file: BinaryIO, head: bytes, size: int) -> bool:
    if len(head) < 10:
        return False
    length = struct.unpack("<Q", head[:8])[0]
    if length > min(_HEADER, size - 8) or head[8:9] != b"{":
        return False
    file.seek(8)
    try:
        header = json.loads(file.read(length).decode("utf-8"))
    except (ValueError, RecursionError):
        return False
    tensors = [one for name, one in header.items() if name != "__metadata__"]
    ends = [one.get("data_offsets") if isinstance(one, dict) else None for one in tensors]
    return all(
        isinstance(end, list) and len(end) == 2 and all(type(each) is int for each in end)
        and 0 <= end[0] <= end[1] <= size - 8 - length
        for end in ends
    )  # fmt: skip


def _is_onnx(file: BinaryIO, size: int) -> bool:
    """Tell whether all of a file is an ONNX ModelProto: its fields, to the last byte."""
    try:
        fields = list(_fields(file, size))
    except (ValueError, IndexError):
        return False
    return {1, 7} <= set(fields) <= _ONNX_FIELDS


def _fields(file: BinaryIO, size: int) -> Iterator[int]:
    """Yield the numbers of a message's fields, not reading what they hold; raises ValueError."""
    file.seek(0)
    while (at := file.tell()) < size:
        key = _varint(file)
        number, kind = key >> 3, key & 7
        if kind == 0:
            _varint(file)
        elif kind == 2:
            length = _varint(file)
            if length > size - file.tell():
                raise ValueError(f"a field at {at} is longer than the file")
            file.seek(length, os.SEEK_CUR)
        else:
            raise ValueError(f"a field at {at} is of an unknown kind")
        yield number


def _varint(file: BinaryIO) -> int:
    value = shift = 0
    while True:
        byte = file.read(1)[0]
        value |= (byte & 127) << shift
        if byte < 128:
            return value
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")

"""A model's format by its content: what is refused, whatever its name."""

import bz2
import gzip
import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlxkit.gates.models.formats import Refused, format_of
from mlxkit.gates.models.pickles import is_pickle


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("run",))


PICKLE = pickle.dumps(Evil())
HEADER = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
TENSORS = struct.pack("<Q", len(HEADER)) + HEADER + b"\0\0\0\0"
# ir_version 8, producer "x", and a graph of two bytes.
ONNX = b"\x08\x08\x12\x01x\x3a\x02\x0a\x00"


def archive(members: Mapping[str, bytes], kind: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", kind) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return target.getvalue()


def of(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "model.skops"
    path.write_bytes(data)
    return format_of(str(path))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (archive({"schema.json": b"{}", "0.npy": b"\x93NUMPY\1\0v\0{'descr': '<f8'}"}), "skops"),
        (TENSORS, "safetensors"),
        (ONNX, "onnx"),
        (b"tree\nversion=v4\nnum_class=1\n", "lightgbm"),
        (b' {"learner": {}, "version": [2, 0, 0]}', "xgboost"),
        (b"{L\0\0\0\0\0\0\0\x07learner{L\0\0\0\0", "xgboost"),
    ],
)
def test_safe_formats(tmp_path: Path, data: bytes, name: str) -> None:
    assert of(tmp_path, data) == name


@pytest.mark.parametrize("length", [376, 640, 1112, 1368])
def test_tensors_whose_length_looks_like_the_start_of_something_else(
    tmp_path: Path, length: int
) -> None:
    data = struct.pack("<Q", length) + HEADER.ljust(length) + b"\0\0\0\0"
    assert of(tmp_path, data) == "safetensors"


def test_tensors_that_are_a_pickle_as_well(tmp_path: Path) -> None:
    """A pickle skips the header as texts, what it runs is where the numbers should be."""
    end = b'":{"data_offsets":[0,20]}}'
    texts = b"U~" + b"a" * 126
    room = 1368 - len(b'{"') - 10 * len(texts) - 2 - len(end)
    header = b'{"' + 10 * texts + b"U" + bytes([room + len(end)]) + b"a" * room + end
    run = b"cbuiltins\nprint\n(tR."
    data = struct.pack("<Q", len(header)) + header + run
    assert len(header) == 1368 and pickle.loads(data) is None
    with pytest.raises(Refused, match=r"pickle|none of the safe"):
        of(tmp_path, data)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("thing", [Evil(), {"a": [1.5] * 50_000}, b"x" * 100_000])
def test_pickles_of_all_protocols(tmp_path: Path, protocol: int, thing: object) -> None:
    data = pickle.dumps(thing, protocol)
    with pytest.raises(Refused, match=r"pickle|none of the safe"):
        of(tmp_path, data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"hello", "none of the safe formats"),
        (gzip.compress(PICKLE, mtime=0), "gzip"),
        (bz2.compress(PICKLE), "bzip2"),
        (zlib.compress(PICKLE), "zlib"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 20, "HDF5"),
        (archive({"a/data.pkl": PICKLE, "schema.json": b"{}"}), "holds a pickle, a/data.pkl"),
        (archive({"data.pkl": pickle.dumps(Evil(), 0), "schema.json": b"{}"}), "holds a pickle"),
        (archive({"weights.bin": b"123"}), "not one of skops"),
        (archive({"schema.json": b"{}", "../up": b"x"}), "outside of itself, ../up"),
        (archive({"schema.json": b"{}", "a/version": b"3"}), "does not write, a/version"),
        (archive({"schema.json": b"{}", "in.zip": archive({"x": b""})}), "another archive"),
        (archive({"schema.json": b"{}", "o.npy": b"\x93NUMPY\1\0v\0{'descr': '|O', "}), "objects"),
        (archive({"schema.json": b"0" * (65 << 20)}, zipfile.ZIP_DEFLATED), "zip bomb"),
        (b"#!/bin/sh\n" + archive({"schema.json": b"{}"}), "behind something else"),
        (archive({"schema.json": b"{}" * 500})[:300], "damaged|not a zip"),
        (TENSORS[:-1], "none of the safe"),
        (struct.pack("<Q", 1 << 60) + HEADER, "none of the safe"),
        (ONNX + b"\xff", "none of the safe"),
        (b'{"learner": [' * 50_000, "none of the safe"),
        (b'{"weights": 1}', "none of the safe"),
    ],
)
def test_what_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        of(tmp_path, data)


def test_an_archive_that_says_less_than_it_holds_is_read_no_further(tmp_path: Path) -> None:
    data = bytearray(archive({"schema.json": b"{}" * 5000}, zipfile.ZIP_DEFLATED))
    # The size in the central directory is what counts.
    place = data.rindex(b"PK\x01\x02") + 24
    data[place : place + 4] = struct.pack("<I", 1 << 31)
    with pytest.raises(Refused, match=r"zip bomb|damaged"):
        of(tmp_path, bytes(data))


def test_plain_text_is_no_pickle() -> None:
    for text in (b".", b"I1\n.", b"tree\nversion=v4\n", b"{}", b"a,b\n1,2\n"):
        assert not is_pickle(text, whole=True), text

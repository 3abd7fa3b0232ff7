"""The file of pins: read, added to at its end, merged by Git."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mlxkit.core.errors import ProjectError
from mlxkit.data.pins import FILE, Pin, add_pins, read_pins, remove_pins

A, B = "a" * 32, "b" * 32 + ".dir"
ODD = ["a b.csv", "tab\there", "new\nline", '"quoted"', "ünï/côdé", "#hash", " space "]


def _pin(md5: str, path: str = "", reason: str = "") -> Pin:
    return Pin(md5, path, "2026-01-31", reason)


@pytest.mark.parametrize("path", ODD)
def test_any_path_comes_back(path: str, tmp_path: Path) -> None:
    pin = _pin(A, path, "a reason, with\ttabs\nand lines")
    assert add_pins(str(tmp_path), [pin, _pin(B)]) == [pin, _pin(B)]
    assert read_pins(str(tmp_path)) == [
        pin._replace(reason="a reason, with tabs and lines"),
        _pin(B),
    ]
    assert len((tmp_path / FILE).read_text().splitlines()) == 3


def test_lines_are_added_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text(f"# mine\n\n{A}")  # no newline at the end, and none of the other columns
    assert add_pins(str(tmp_path), [_pin(A), _pin(B), _pin(B)]) == [_pin(B)]
    assert file.read_text() == f"# mine\n\n{A}\n{B}\t\t2026-01-31\n"
    assert read_pins(str(tmp_path))[0] == Pin(A, "", "", "")


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    assert add_pins(str(tmp_path), []) == [] == remove_pins(str(tmp_path), [A])
    assert not (tmp_path / FILE).exists()


def test_removed_lines_only(tmp_path: Path) -> None:
    add_pins(str(tmp_path), [_pin(A, "a"), _pin(B, "b")])
    before = (tmp_path / FILE).read_text().splitlines()
    assert remove_pins(str(tmp_path), [A, "c" * 32]) == [_pin(A, "a")]
    assert (tmp_path / FILE).read_text().splitlines() == [before[0], before[2]]


@pytest.mark.parametrize(
    "content",
    [
        b"not a digest\tx\n",
        b"\xff\xfe\n",
        A.encode() + b'\t"no end\n',
        b"<<<<<<< HEAD\n",
        b">>>>>>> side\n",
        A.upper().encode(),
    ],
)
def test_a_bad_file_is_never_written_over(content: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(content)
    root = str(tmp_path)
    works: list[Callable[[], object]] = [
        partial(read_pins, root),
        partial(add_pins, root, [_pin(B)]),
        partial(remove_pins, root, [B]),
    ]
    for work in works:
        with pytest.raises(ProjectError) as caught:
            work()
        assert (caught.value.where or "").startswith(FILE) and caught.value.hint
    assert (tmp_path / FILE).read_bytes() == content

"""Reads objects again, and says which are not what their names say, and which are missing."""

import os
import random
import stat as st
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mlxkit.core.digest import md5_fd, new_md5
from mlxkit.core.errors import UsageError
from mlxkit.core.progress import SILENT, Progress
from mlxkit.data.gc.inventory import Inventory, object_path
from mlxkit.data.tracked import Tracked
from mlxkit.store.errors import BadObject
from mlxkit.store.parallel import LEAST, spread
from mlxkit.store.tree import parse_tree

CORRUPT = "corrupt"
INVALID = "invalid"
UNREADABLE = "unreadable"
MISSING = "missing"

_MUCH = 64 << 20
"""From so many bytes on a process of its own pays for a few files, too."""
_CHUNK = 1 << 20
_BLOCK = 512
_TEXT = bytes(range(32, 127)) + b"\n\r\t\f\b"


class Object(NamedTuple):
    """One object to read; `legacy` is one of DVC 2's, named by its text with Unix line ends."""

    md5: str
    path: str
    size: int = 0
    legacy: bool = False


class Problem(NamedTuple):
    """What is wrong with an object; `refers` are things that need it, `path` is where it lies."""

    md5: str
    kind: str
    path: str = ""
    refers: tuple[str, ...] = ()
    repaired: bool = False


class Checked(NamedTuple):
    """How many objects and bytes were read, and what was wrong."""

    objects: int
    size: int
    problems: list[Problem]


def objects_of(stock: Inventory) -> list[Object]:
    """All objects of a folder, with their sizes, in the order of their names."""
    found = []
    for number, (top, names) in enumerate(stock.folders.items()):
        for name in sorted(names):
            path = object_path(top, name)
            try:
                found.append(Object(name, path, os.stat(path).st_size, legacy=number > 0))
            except OSError:
                found.append(Object(name, path, legacy=number > 0))
    return found


def sampled(objects: Sequence[Object], sample: str, seed: int | None) -> list[Object]:
    """Return `sample` of the objects by chance: a number, or a part like `1%`; "" is all.

    Raises UsageError.
    """
    if not sample:
        return list(objects)
    percent = sample.endswith("%")
    try:
        number = float(sample.removesuffix("%")) if percent else int(sample)
        count = round(len(objects) * min(100.0, number) / 100) if percent else int(number)
    except (ValueError, OverflowError):
        number, count = -1, 0
    if not number > 0:  # also for "nan"
        raise UsageError(f"--sample {sample}: not a sample", hint="write it as 1% or 500")
    count = min(len(objects), max(1, count))
    chosen = random.Random(seed).sample(range(len(objects)), count)
    return [objects[place] for place in sorted(chosen)]


def check_files(objects: Sequence[Object], progress: Progress = SILENT) -> Checked:
    """Read objects of this machine, each in full, in several processes."""
    size = sum(one.size for one in objects)
    progress.begin("checking", files=len(objects), size=size)
    much = size >= _MUCH
    chunk = max(1, min(512, len(objects) // 64)) if much else 512
    done = Checked(0, 0, [])
    for part in spread(_check_part, objects, least=2 if much else LEAST, chunk=chunk):
        progress.advance(part.objects, part.size)
        done = Checked(
            done.objects + part.objects, done.size + part.size, done.problems + part.problems
        )
    progress.end()
    return done._replace(problems=sorted(done.problems))


def _check_part(objects: list[Object]) -> Checked:
    problems = []
    size = 0
    for one in objects:
        kind, read = _check(one)
        size += read
        if kind:
            problems.append(Problem(one.md5, kind, one.path))
    return Checked(len(objects), size, problems)


def check_file(one: Object) -> str:
    """Return what is wrong with an object of this machine, or ""."""
    return _check(one)[0]


def _check(one: Object) -> tuple[str, int]:
    try:
        # Non-blocking: what should be a file may be a pipe that nobody writes to.
        fd = os.open(one.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            stat = os.fstat(fd)
            if not st.S_ISREG(stat.st_mode):
                return UNREADABLE, 0
            digest = md5_fd(fd, stat.st_size)
            if digest != one.md5[:32] and one.legacy:
                os.lseek(fd, 0, os.SEEK_SET)
                digest = _unix_digest(fd)
            if digest != one.md5[:32]:
                return CORRUPT, stat.st_size
            kind = INVALID if one.md5.endswith(".dir") and not _is_listing(fd) else ""
            return kind, stat.st_size
        finally:
            os.close(fd)
    except FileNotFoundError:
        return "", 0  # deleted since it was listed
    except OSError:
        return UNREADABLE, 0


def _is_listing(fd: int) -> bool:
    os.lseek(fd, 0, os.SEEK_SET)
    with os.fdopen(os.dup(fd), "rb") as file:
        try:
            parse_tree(file.read())
        except BadObject:
            return False
    return True


def _unix_digest(fd: int) -> str:
    """As DVC 2 names content: chunks that look like text count with Unix line ends."""
    hasher = new_md5()
    while chunk := os.read(fd, _CHUNK):
        block = chunk[:_BLOCK]
        odd = len(block.translate(None, _TEXT))
        is_text = b"\0" not in block and odd <= 0.3 * len(block)
        hasher.update(chunk.replace(b"\r\n", b"\n") if is_text else chunk)
    return hasher.hexdigest()


def find_missing(wanted: Sequence[Tracked], stock: Inventory, lists: Inventory) -> list[Problem]:
    """What the working tree needs and `stock` lacks; `lists` says where directories' lists are."""
    refers: dict[str, list[str]] = {}
    for one in wanted:
        if one.md5 is not None:
            for md5, path in _needs(one.md5, one.out.abs, lists):
                if not stock.has(md5):
                    refers.setdefault(md5, []).append(os.path.relpath(path))
    return [Problem(md5, MISSING, refers=tuple(paths[:3])) for md5, paths in refers.items()]


def _needs(md5: str, path: str, lists: Inventory) -> Iterator[tuple[str, str]]:
    yield md5, path
    if md5.endswith(".dir"):
        for place in lists.paths(md5):
            try:
                with open(place, "rb") as file:
                    entries = parse_tree(file.read())
            except (OSError, BadObject):
                continue  # said of the list itself
            yield from ((child, os.path.join(path, inner)) for inner, child in entries)
            return

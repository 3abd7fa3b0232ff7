"""Pins: objects that are kept whatever refers to them, listed in a file that Git tracks.

`mlx.pins` has a line for each: digest, path, day and reason, parted by tabs. Lines are added at
the end and never rewritten, so that two branches merge; lines that are none are left as they are.
"""

import json
import os
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mlxkit.core.errors import ProjectError
from mlxkit.core.files import write_atomic

FILE = "mlx.pins"
_HEADER = "# Objects that `mlx gc` keeps, whatever else happens: digest, path, day, reason.\n"
_DIGEST = re.compile(r"[0-9a-f]{32}(?:\.dir)?\Z")
_CONFLICT = re.compile(r"(?:<{7}|>{7})(?: |\Z)")


class Pin(NamedTuple):
    """One object that is kept; `path` is where it was when it was pinned, if anywhere."""

    md5: str
    path: str
    day: str
    reason: str


def read_pins(root: str) -> list[Pin]:
    """The pins of the project at `root`; raises ProjectError, with its line, for a bad one."""
    return [pin for number, line in enumerate(_lines(root), 1) if (pin := _pin(line, number))]


def add_pins(root: str, pins: Sequence[Pin]) -> list[Pin]:
    """Add those that are not there yet, and return them; raises ProjectError, OSError."""
    for pin in pins:
        if not _DIGEST.match(pin.md5):
            raise ProjectError(f"{pin.md5!r:.60} is not the digest of an object", where=pin.path)
    known = {pin.md5 for pin in read_pins(root)}
    new = list({pin.md5: pin for pin in pins if pin.md5 not in known}.values())
    if new:
        lines = _lines(root) or [_HEADER]
        if not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        _write(root, [*lines, *(_line(pin) for pin in new)])
    return new


def remove_pins(root: str, digests: Iterable[str]) -> list[Pin]:
    """Take the pins of these digests out, and return them; raises ProjectError, OSError."""
    wanted = set(digests)
    removed = [pin for pin in read_pins(root) if pin.md5 in wanted]
    kept = []
    for number, line in enumerate(_lines(root), 1):
        pin = _pin(line, number)
        if pin is None or pin.md5 not in wanted:
            kept.append(line)
    if removed:
        _write(root, kept)
    return removed


def _lines(root: str) -> list[str]:
    try:
        with open(os.path.join(root, FILE), encoding="utf-8", newline="") as file:
            return file.readlines()
    except FileNotFoundError:
        return []
    except UnicodeDecodeError as error:
        raise ProjectError("is not UTF-8 text", where=FILE) from error


def _write(root: str, lines: Sequence[str]) -> None:
    write_atomic(os.path.join(root, FILE), "".join(lines).encode())


def _pin(line: str, number: int) -> Pin | None:
    text = line.strip()
    where = f"{FILE}:{number}"
    if not text or text.startswith("#"):
        return None
    if _CONFLICT.match(text):
        raise ProjectError(
            "has Git merge-conflict markers", where=where, hint="keep the lines of both sides"
        )
    md5, path, day, reason = [*line.rstrip("\r\n").split("\t", 3), "", "", ""][:4]
    if not _DIGEST.match(md5):
        raise ProjectError(f"{md5!r:.60} is not the digest of an object", where=where)
    return Pin(md5, _unquoted(path, where), day, reason)


def _line(pin: Pin) -> str:
    reason = " ".join(pin.reason.split())
    return "\t".join([pin.md5, _quoted(pin.path), pin.day, reason]).rstrip("\t") + "\n"


def _quoted(path: str) -> str:
    """A path as it is, or as a JSON string where it would break the line."""
    odd = path.startswith('"') or any(not sign.isprintable() for sign in path)
    return json.dumps(path) if odd else path


def _unquoted(path: str, where: str) -> str:
    if not path.startswith('"'):
        return path
    try:
        return str(json.loads(path))
    except ValueError as error:
        raise ProjectError(f"the path {path!r:.60} is not well quoted", where=where) from error

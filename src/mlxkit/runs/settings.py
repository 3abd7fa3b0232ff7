"""What `mlx.yaml` says of run records."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from mlxkit.core.errors import ProjectError
from mlxkit.core.yaml import key_line, load

_MIB = 1 << 20
_UNITS = {"": 1, "K": 1 << 10, "M": _MIB, "G": 1 << 30}


class Settings(NamedTuple):
    """Whether runs are recorded; `max_file_size` of an untracked file in a snapshot, in bytes."""

    record: bool = True
    max_file_size: int = _MIB


def load_settings(root: str) -> Settings:
    """Read `runs` of the project's `mlx.yaml`; without the file, or the key, nothing is special.

    Raises ProjectError, with file and line.
    """
    path = os.path.join(root, "mlx.yaml")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return Settings()
    shown = os.path.relpath(path)
    data = load(text, shown) or {}
    told = data.get("runs") if isinstance(data, Mapping) else None
    if told is None:
        return Settings()
    if not isinstance(told, Mapping):
        raise _wrong(text, shown, ("runs",), "`runs` is not a mapping")
    unknown = sorted(str(key) for key in told if key not in Settings._fields)
    if unknown:
        raise _wrong(text, shown, ("runs", unknown[0]), f"`runs` has an unknown key '{unknown[0]}'")
    record = told.get("record", True)
    if not isinstance(record, bool):
        raise _wrong(text, shown, ("runs", "record"), "`runs.record` is neither true nor false")
    size = _size(told.get("max_file_size", _MIB))
    if size is None:
        key = ("runs", "max_file_size")
        raise _wrong(text, shown, key, f"`runs.max_file_size` is not a size: {told[key[1]]!r}")
    return Settings(record, size)


def _size(value: Any) -> int | None:
    import re

    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?)i?B?", str(value).strip())
    if match is None or isinstance(value, bool):
        return None
    return int(float(match[1]) * _UNITS[match[2]])


def _wrong(text: str, shown: str, path: tuple[str, ...], message: str) -> ProjectError:
    line = key_line(text, path)
    return ProjectError(
        message,
        where=f"{shown}:{line}" if line else shown,
        hint="write it as: runs: {max_file_size: 1M}",
    )

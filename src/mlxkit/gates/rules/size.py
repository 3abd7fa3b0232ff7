"""`size: {path, max}`: how many bytes a recorded file or folder has."""

import os
from collections.abc import Mapping
from typing import Any

from mlxkit.core.words import counted
from mlxkit.gates.context import Context
from mlxkit.gates.verdict import Verdict, Word

_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Hold the size to its limit; raises Unjudged, MlxError."""
    subject, path, limit = context.subject, settings["path"], settings["max"]
    data = context.subject.data(path)
    value = _below(data.path) if data.is_dir else os.stat(data.path).st_size
    word: Word = "pass" if value <= limit else "fail"
    relation = "<=" if word == "pass" else ">"
    why = f"{path}: {people(value, limit)} {relation} {people(limit, value)}"
    evidence = {subject.key(path): data.md5}
    return [Verdict("size", word, why, path, value, limit, evidence=evidence)]


def people(size: int, beside: int) -> str:
    """Return a size for people; in bytes where it would look the same as the one `beside`."""
    for unit, name in _UNITS:
        if size >= unit:
            brief = f"{size / unit:.3g} {name}"
            same = beside != size and f"{beside / unit:.3g} {name}" == brief
            return counted(size, "byte") if same else brief
    return counted(size, "byte")


def _below(folder: str) -> int:
    return sum(
        os.stat(os.path.join(place, name)).st_size
        for place, _, names in os.walk(folder)
        for name in names
    )

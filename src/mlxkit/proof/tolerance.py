"""What `mlx.yaml` says of a rebuild: `verify: {tolerance: {"metrics/*.json": 1e-6}}`."""

import fnmatch
import math
import os
from collections.abc import Mapping

from mlxkit.core.errors import ProjectError
from mlxkit.core.yaml import key_line, load


class Tolerances:
    """How far the numbers of a metrics file may be off, by patterns of its path."""

    def __init__(self, by_pattern: Mapping[str, float] | None = None) -> None:
        self._by_pattern = dict(by_pattern or {})

    def of(self, path: str) -> float | None:
        """Return the tolerance of a path (from the project's root): the first pattern counts."""
        for pattern, value in self._by_pattern.items():
            if fnmatch.fnmatchcase(path, pattern):
                return value
        return None


def read_tolerances(root: str) -> Tolerances:
    """Read `verify` of the project's `mlx.yaml`; raises ProjectError, with file and line."""
    path = os.path.join(root, "mlx.yaml")
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return Tolerances()
    shown = os.path.relpath(path)
    document = load(data, shown) or {}
    text = data.decode("utf-8")
    told = document.get("verify") if isinstance(document, Mapping) else None
    if told is None:
        return Tolerances()
    if not isinstance(told, Mapping):
        raise _wrong(text, shown, (), "`verify` is not a mapping")
    for key in told:
        if key != "tolerance":
            raise _wrong(text, shown, (str(key),), f"`verify` has an unknown key '{key}'")
    given = told.get("tolerance") or {}
    if not isinstance(given, Mapping):
        raise _wrong(text, shown, ("tolerance",), "`verify.tolerance` is not a mapping")
    for pattern, value in given.items():
        right = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not right or not math.isfinite(value) or value < 0:
            where = ("tolerance", str(pattern))
            raise _wrong(
                text, shown, where, f"the tolerance of '{pattern}' is no number: {value!r}"
            )
    return Tolerances({str(pattern): float(value) for pattern, value in given.items()})


def _wrong(text: str, shown: str, path: tuple[str, ...], message: str) -> ProjectError:
    line = key_line(text, ("verify", *path))
    return ProjectError(
        message,
        where=f"{shown}:{line}" if line else shown,
        hint='write it as: verify: {tolerance: {"metrics/*.json": 1.0e-6}}',
    )

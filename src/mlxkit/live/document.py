"""Files that are written whole each time: metrics in JSON, YAML or TOML, and rows of a plot."""

import json
import os
from collections.abc import Mapping
from typing import Any

from mlxkit.core.errors import MlxError
from mlxkit.live.history import History
from mlxkit.live.table import is_step, number
from mlxkit.metrics.load import flatten, keep_metrics

LARGEST = 1 << 18
"""Larger files are left alone: they would have to be parsed again and again."""

Value = int | float | str


class Document:
    """A metrics file: each time it says something else, its numbers are one point more."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._values: dict[str, Any] = {}
        self._histories: dict[str, History] = {}

    def look(self) -> None:
        """Read it; what is cut off, or not there yet, changes nothing."""
        values = flatten(keep_metrics(parse(self._path)) or {})
        if not values or repr(values) == repr(self._values):  # NaN is not equal to itself
            return
        if _counts_back(self._values, values):
            self._histories = {}
        self._values = values
        for name, value in values.items():
            point = None if isinstance(value, str) else number(value)
            if point is not None:
                self._histories.setdefault(name, History()).add(point)

    def series(self) -> dict[str, tuple[Value, History]]:
        """Return the value and the history of each metric."""
        return {
            name: (value, self._histories.get(name) or History())
            for name, value in self._values.items()
        }


class Rows:
    """A plots file in JSON or YAML: its rows are the points."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._rows: list[Mapping[str, Any]] = []

    def look(self) -> None:
        """Read it; what is cut off, or not there yet, changes nothing."""
        rows = _rows(parse(self._path))
        if rows:
            self._rows = rows

    def series(self) -> dict[str, tuple[Value, History]]:
        """Return the newest value and the history of each column, where rows are steps."""
        names = dict.fromkeys(str(name) for row in self._rows for name in row)
        if not any(is_step(name) for name in names):
            return {}
        found: dict[str, tuple[Value, History]] = {}
        for name in names:
            values = [number(row.get(name)) for row in self._rows]
            points = [one for one in values if one is not None]
            if points and not is_step(name):
                found[name] = (points[-1], History(points))
        return found


def parse(path: str) -> Any:
    """Return what a file says; None for one that is not whole or larger than `LARGEST`.

    Raises OSError for one that cannot be read.
    """
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size > LARGEST:
            return None
        data = file.read(LARGEST)
    try:
        if path.lower().endswith((".yaml", ".yml")):
            from mlxkit.core.yaml import load

            return load(data)
        if path.lower().endswith(".toml"):
            import tomllib

            return tomllib.loads(data.decode())
        return json.loads(data)
    except (MlxError, ValueError, RecursionError):
        return None


def _counts_back(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Tell whether a step is lower than it was: whoever writes the file began again."""
    for name in now:
        if is_step(name.rsplit(".", 1)[-1]):
            old, new = number(before.get(name)), number(now[name])
            if old is not None and new is not None and new < old:
                return True
    return False


def _rows(content: Any) -> list[Mapping[str, Any]]:
    """Return a file's list of rows: the file itself, or the first that it has by some name."""
    if isinstance(content, Mapping):
        content = next((one for one in content.values() if isinstance(one, list)), None)
    if not isinstance(content, list):
        return []
    return [row for row in content if isinstance(row, Mapping)]

"""Reads metrics files: numbers and texts by name, nested as they are."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlxkit.core.errors import MlxError

Read = Callable[[str], Any]
"""Parses a file of structured data by its ending."""


@dataclass(frozen=True, slots=True)
class MetricsFile:
    """One metrics file, or why it could not be read."""

    path: str
    values: Any = None
    error: str | None = None


def load_metrics(paths: Iterable[str], read: Read) -> list[MetricsFile]:
    """Read the metrics files at `paths`, with all files of a folder; a bad one is not fatal."""
    files = dict.fromkeys(file for path in paths for file in _files(path))
    return [_load(path, read) for path in files]


def keep_metrics(value: Any) -> Any:
    """Return what of `value` is a metric: numbers and texts, nested in mappings, no lists.

    As DVC does; None where nothing is.
    """
    if isinstance(value, (int, float, str)):
        return value
    if not isinstance(value, Mapping):
        return None
    kept = {key: keep_metrics(item) for key, item in value.items()}
    return {key: item for key, item in kept.items() if item is not None and item != {}}


def flatten(values: Any, prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted name: `{"a": {"b": 1}}` gives `{"a.b": 1}`."""
    if not isinstance(values, Mapping):
        return {prefix: values} if prefix else {"": values}
    found: dict[str, Any] = {}
    for key, item in values.items():
        found.update(flatten(item, f"{prefix}.{key}" if prefix else str(key)))
    return found


def _files(path: str) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    return sorted(
        os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names
    )


def _load(path: str, read: Read) -> MetricsFile:
    try:
        return MetricsFile(path, keep_metrics(read(path)) or {})
    except FileNotFoundError:
        return MetricsFile(path, error="does not exist")
    except (MlxError, OSError, json.JSONDecodeError) as error:
        return MetricsFile(path, error=str(error))

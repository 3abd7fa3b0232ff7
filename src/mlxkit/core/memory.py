"""Small memories: a JSON mapping in a file that anybody may delete at any time."""

import json
import os
from collections.abc import Mapping
from typing import Any

from mlxkit.core.files import write_atomic


def recall(path: str) -> dict[str, Any]:
    """Return what a memory holds: nothing where its file is not there, or damaged."""
    try:
        with open(path, "rb") as file:
            found = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def remember(path: str, known: Mapping[str, Any], newest: int | None = None) -> None:
    """Replace what a memory holds, by the newest entries only; failing to is no error."""
    kept = known if newest is None else dict(list(known.items())[-newest:])
    try:
        write_atomic(path, json.dumps(kept).encode(), sync=False)
    except (OSError, TypeError, ValueError):
        pass  # a full disk, or an odd value, must stop nobody who only wants to know


def cache_path(root: str, name: str) -> str:
    """Return the file of a memory of the project at `root`."""
    return os.path.join(root, ".mlx", "cache", name)

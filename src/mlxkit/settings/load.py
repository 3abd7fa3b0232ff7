"""Reads `mlx.yaml`: checked by the model where it is new, remembered as plain data where not.

To import pydantic and build the model costs more than most commands, so a valid file's plain form
is kept under the digest of its text, of mlx's version and of the model's own files.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from mlxkit import __version__
from mlxkit.core.errors import ProjectError
from mlxkit.core.files import write_atomic
from mlxkit.core.yaml import decode, load

FILE = "mlx.yaml"
_MODEL = (
    "base.py",
    "cards.py",
    "data_rules.py",
    "leaderboard.py",
    "limited.py",
    "model.py",
    "model_rules.py",
    "rules.py",
    "when.py",
)
_MEMORY = os.path.join(".mlx", "cache", "settings.json")
_KEPT = 16
_NOTHING = b""


def settings(root: str) -> Mapping[str, Any]:
    """Return all that the project's `mlx.yaml` says, with defaults; without the file, those.

    Raises ProjectError, with file and line, for what is not as it should be.
    """
    path = os.path.join(root, FILE)
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        data = _NOTHING
    except OSError as error:
        shown = os.path.relpath(path)
        raise ProjectError(f"cannot be read: {error.strerror}", where=shown) from None
    return settings_of(data, os.path.relpath(path), root)


def section(root: str, name: str) -> Any:
    """Return one part of the settings; raises ProjectError as `settings` does."""
    return settings(root)[name]


def settings_of(data: bytes, shown: str, root: str) -> Mapping[str, Any]:
    """Return what a file of these bytes says; errors name it as `shown`. Raises ProjectError."""
    memory = os.path.join(root, _MEMORY)
    key = _key(data)
    known = _recall(memory)
    if key not in known:
        known[key] = _checked(data, shown)
        _remember(memory, known)
    plain: Mapping[str, Any] = known[key]
    return plain


def _checked(data: bytes, shown: str) -> Mapping[str, Any]:
    text = decode(data, shown)
    document = load(text, shown)
    from pydantic import ValidationError

    from mlxkit.settings.model import Settings

    try:
        found = Settings.model_validate({} if document is None else document)
    except ValidationError as error:
        from mlxkit.settings.explain import explain

        raise explain(error, text, shown, Settings.model_json_schema()) from None
    plain: Mapping[str, Any] = found.model_dump(mode="json")
    return plain


def _key(data: bytes) -> str:
    folder = os.path.dirname(__file__)
    stamp = [os.stat(os.path.join(folder, name)).st_mtime_ns for name in _MODEL]
    return hashlib.sha256(f"{__version__} {stamp}\n".encode() + data).hexdigest()


def _recall(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            found = json.loads(file.read())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _remember(path: str, known: Mapping[str, Any]) -> None:
    """Keep the newest; where the project has no `.mlx` yet, or a full disk, that is no error."""
    try:
        write_atomic(path, json.dumps(dict(list(known.items())[-_KEPT:])).encode(), sync=False)
    except OSError:
        pass

"""Reads parameter files and picks keys out of them, with DVC's meaning of a key."""

import json
import os
from collections.abc import Mapping
from typing import Any

from mlxkit.core.errors import ProjectError
from mlxkit.core.files import regular
from mlxkit.core.yaml import load
from mlxkit.pipeline.spec import Params
from mlxkit.tools import dvc

_MISSING = object()


def read_file(path: str) -> Any:
    """Parse a parameter file by its ending; raises ProjectError naming file and line."""
    shown = os.path.relpath(path)
    ending = os.path.splitext(path)[1].lower()
    if os.path.isdir(path):
        raise ProjectError("is a folder, not a parameter file", where=shown)
    if ending in (".toml", ".py"):
        return dvc.parse_parameters(path)
    try:
        with open(path, encoding="utf-8", opener=regular) as file:
            text = file.read()
        if ending == ".json":
            return json.loads(text)
    except UnicodeDecodeError:
        raise ProjectError("is not UTF-8 text", where=shown) from None
    except json.JSONDecodeError as error:
        raise ProjectError(f"is not JSON: {error.msg}", where=f"{shown}:{error.lineno}") from None
    except PermissionError as error:
        raise ProjectError(f"cannot be read: {error.strerror}", where=shown) from None
    return load(text, shown) or {}


def pick(values: Any, params: Params) -> dict[str, Any]:
    """Return those of the declared keys that are there; without keys, the whole file."""
    if not params.keys:
        return dict(values) if isinstance(values, Mapping) else {}
    found = {}
    for key in params.keys:
        value = _get(values, key)
        if value is not _MISSING:
            found[key] = value
    return found


def _get(values: Any, key: str) -> Any:
    """Follow `a.b.0.c`; what a plain walk does not find is asked of DVC's own key library."""
    here = values
    if not any(sign in key for sign in "*?[]!"):
        for part in key.split("."):
            if isinstance(here, Mapping) and part in here:
                here = here[part]
            else:
                here = _MISSING
                break
        if here is not _MISSING:
            return here
    import dpath

    try:
        return dpath.get(values, key, separator=".")
    except (KeyError, ValueError, TypeError):
        return _MISSING


def survives_json(values: Any) -> bool:
    """Tell whether values come back from JSON as they are; dates, tuples and sets do not.

    Nor does a YAML alias: DVC writes a value that stands twice as an alias again.
    """
    try:
        back = json.loads(json.dumps(values, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return False
    return bool(back == values) and not _stands_twice(values, set())


def _stands_twice(value: Any, seen: set[int]) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    if id(value) in seen:
        return True
    seen.add(id(value))
    inner = value.values() if isinstance(value, dict) else value
    return any(_stands_twice(one, seen) for one in inner)

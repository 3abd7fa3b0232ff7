"""How values of two revisions differ, in the shape and by the rules of DVC."""

import json
from collections.abc import Mapping
from typing import Any

from mlxkit.metrics.load import flatten

Change = dict[str, Any]
"""`old`, `new`, and `diff` where both are numbers."""

_UNABLE = "unable to parse"


def difference(
    old: Mapping[str, Any], new: Mapping[str, Any], *, unchanged: bool = False
) -> dict[str, dict[str, Change]]:
    """Compare values by file; return the changes by file and by dotted name.

    A file or a value that one side lacks is None there. With `unchanged` also what is equal.
    """
    found = {}
    for path in dict.fromkeys([*old, *new]):
        changes = _of_file(old.get(path, {}), new.get(path, {}), unchanged)
        if changes:
            found[path] = changes
    return found


def _of_file(old: Any, new: Any, unchanged: bool) -> dict[str, Change]:
    old, new = _read(_plain(old)), _read(_plain(new))
    if not isinstance(old, dict) and not isinstance(new, dict):
        change = _change(old, new, unchanged)
        return {"": change} if change else {}
    before, after = _flat(old), _flat(new)
    found = {}
    for name in dict.fromkeys([*(before or {}), *(after or {})]):
        change = _change(_get(before, name), _get(after, name), unchanged)
        if change:
            found[name] = change
    return found


def _plain(value: Any) -> Any:
    """Turn lists into texts: they are compared as a whole."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, list) else value


def _read(value: Any) -> Any:
    """Return what the text of a whole file says, if it is JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _flat(value: Any) -> dict[str, Any] | None:
    """Return nested values by dotted name; None for what has no names."""
    if isinstance(value, dict):
        return flatten(value)
    return {} if not value else None


def _get(values: dict[str, Any] | None, name: str) -> Any:
    return _UNABLE if values is None else values.get(name)


def _change(old: Any, new: Any, unchanged: bool) -> Change:
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new) == 1:
        return _change(old[0], new[0], unchanged)
    if not unchanged and old == new:
        return {}
    change = {"old": old, "new": new}
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        change["diff"] = _minus(new, old)
    return change


def _minus(new: float, old: float) -> float:
    try:
        return new - old
    except OverflowError:  # an integer beyond all floats
        return float("inf") if new > old else float("-inf")

"""Checks that a parsed `dvc.lock` has the shape of one."""

from typing import Any

from mlxkit.core import yaml
from mlxkit.core.errors import ProjectError

SCHEMA = "2.0"
_TOP = frozenset(("schema", "datasets", "stages"))
_ENTRY = frozenset(("cmd", "deps", "params", "outs"))

Path = tuple[str | int, ...]


class _Wrong(Exception):
    def __init__(self, message: str, path: Path, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.hint = hint


def check_shape(data: Any, text: str, where: str) -> None:
    """Raise ProjectError at `where:line` unless `data`, parsed from `text`, is a lock."""
    try:
        _check_top(data)
        for name, entry in (data.get("stages", {})).items():
            _check_entry(name, entry)
    except _Wrong as wrong:
        line = None
        path = wrong.path
        while line is None and path:
            line, path = yaml.key_line(text, path), path[:-1]
        place = f"{where}:{line or 1}"
        raise ProjectError(wrong.message, where=place, hint=wrong.hint) from None


def is_entry(entry: Any) -> bool:
    """Whether `entry` has the shape of a stage's."""
    try:
        _check_entry("", entry)
    except _Wrong:
        return False
    return True


def _check_top(data: Any) -> None:
    if not isinstance(data, dict):
        raise _Wrong("expected a mapping with 'schema' and 'stages'", ())
    schema = data.get("schema")
    if "schema" not in data:
        hint = "DVC 1 wrote such files: `dvc repro` of DVC 2 turns them into today's"
        raise _Wrong("'schema' is missing", (), hint)
    if schema != SCHEMA:
        hint = ""
        if isinstance(schema, str | int | float):
            hint = "a newer DVC may have written it"
        raise _Wrong(f"unknown schema {schema!r}, expected '{SCHEMA}'", ("schema",), hint or None)
    for key in data:
        if key not in _TOP:
            raise _Wrong(f"unknown key {key!r}", (key,))
    if "stages" in data and not isinstance(data["stages"], dict):
        raise _Wrong("'stages' is not a mapping", ("stages",))


def _check_entry(name: Any, entry: Any) -> None:
    at: Path = ("stages", name)
    if not isinstance(name, str):
        raise _Wrong(f"stage name {name!r} is not text: quote it", at)
    if not isinstance(entry, dict):
        raise _Wrong(f"stage '{name}' is not a mapping", at)
    if not isinstance(entry.get("cmd"), str | list):
        raise _Wrong(f"stage '{name}': 'cmd' is not a command or a list of them", (*at, "cmd"))
    for key in entry:
        if key not in _ENTRY:
            raise _Wrong(f"stage '{name}': unknown key {key!r}", (*at, key))
    for key in ("deps", "outs"):
        _check_items(entry.get(key, []), (*at, key))
    _check_params(entry.get("params", {}), (*at, "params"))


def _check_items(items: Any, at: Path) -> None:
    label = f"stage '{at[1]}': '{at[2]}'"
    if not isinstance(items, list):
        raise _Wrong(f"{label} is not a list", at)
    for index, item in enumerate(items):
        if not isinstance(item, dict) or not isinstance(item.get("path"), str):
            raise _Wrong(f"{label} has an item without a path", (*at, index))


def _check_params(params: Any, at: Path) -> None:
    label = f"stage '{at[1]}': 'params'"
    if not isinstance(params, dict):
        raise _Wrong(f"{label} is not a mapping", at)
    for file, values in params.items():
        if not isinstance(file, str) or not isinstance(values, dict):
            raise _Wrong(f"{label}: {file!r} is not a mapping of values", (*at, file))
        for key in values:
            if not isinstance(key, str):
                raise _Wrong(f"{label}: key {key!r} is not text", (*at, file, key))

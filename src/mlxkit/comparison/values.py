"""Parses files of metrics and parameters as DVC does; what is wrong is told in DVC's terms."""

import json
from collections.abc import Callable
from typing import Any, Protocol

from mlxkit.comparison.state import Trouble
from mlxkit.core import yaml
from mlxkit.core.errors import MlxError
from mlxkit.core.limits import TOO_LARGE, excess

_CORRUPTED = {
    "json": "JSONFileCorruptedError",
    "yaml": "YAMLFileCorruptedError",
    "toml": "TOMLFileCorruptedError",
    "py": "PythonFileCorruptedError",
}


class Unparsed(Exception):
    """A file that cannot be parsed; `trouble` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.msg)
        self.trouble = trouble


def kind_of(path: str) -> str:
    """Return what a file is parsed as, by all that follows the first dot of its name, as in DVC."""
    name = path.rpartition("/")[2]
    ending = name.partition(".")[2].lower()
    return ending if ending in ("json", "toml", "py") else "yaml"


def parse(path: str, data: bytes) -> Any:
    """Return what a file says; raises Unparsed."""
    kind = kind_of(path)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Unparsed(Trouble("EncodingError", f"{path}: is not UTF-8 text")) from None
    try:
        found = _PARSERS[kind](path, text)
        too_much = excess(found)
    except RecursionError:
        too_much = "is nested too deeply"
    if too_much:
        raise Unparsed(Trouble(_CORRUPTED[kind], f"{path}: {too_much}"))
    return found


def trouble_of(path: str, error: Exception) -> Trouble:
    """Return an error of reading a file in DVC's terms."""
    if isinstance(error, Unparsed):
        return error.trouble
    return Trouble(type(error).__name__, str(error))


def _parse_json(path: str, text: str) -> Any:
    try:
        return json.loads(text) or {}
    except json.JSONDecodeError as error:
        why = f"{path}:{error.lineno}: is not JSON: {error.msg}"
        raise Unparsed(Trouble(_CORRUPTED["json"], why)) from None
    except ValueError:  # Python reads no number of several thousand digits
        raise Unparsed(Trouble(_CORRUPTED["json"], f"{path}: {TOO_LARGE}")) from None


def _parse_yaml(path: str, text: str) -> Any:
    try:
        return yaml.load(text.replace("\r\n", "\n").replace("\r", "\n"), path) or {}
    except MlxError as error:
        why = f"{error.where or path}: is not YAML: {error.message}"
        raise Unparsed(Trouble(_CORRUPTED["yaml"], why)) from None


def _parse_toml(path: str, text: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(text)
    except ValueError:
        return _parse_with_dvc(path, text, "toml")


def _parse_python(path: str, text: str) -> Any:
    return _parse_with_dvc(path, text, "py")


def _parse_with_dvc(path: str, text: str, kind: str) -> Any:
    from mlxkit.tools.dvc import parse_text

    try:
        return parse_text(path, text, kind)
    except MlxError as error:
        raise Unparsed(Trouble(_CORRUPTED[kind], f"{path}: {error.message}")) from None


_PARSERS: dict[str, Callable[[str, str], Any]] = {
    "json": _parse_json,
    "yaml": _parse_yaml,
    "toml": _parse_toml,
    "py": _parse_python,
}


class Remembered(Protocol):
    """What texts say, from one command to the next."""

    def recall_text(self, kind: str, data: bytes) -> Any: ...
    def keep_text(self, kind: str, data: bytes, values: Any) -> None: ...


class Parsed:
    """Files already parsed, by path and content: revisions share most of theirs."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], Any] = {}
        self.memory: Remembered | None = None
        """Asked for YAML, whose parser takes longer to import than most files to read."""

    def parse(self, path: str, data: bytes) -> Any:
        """As `parse`; what comes back must not be changed."""
        key = (kind_of(path), data)
        if key not in self._known:
            self._known[key] = self._remembered(path, *key)
        return self._known[key]

    def _remembered(self, path: str, kind: str, data: bytes) -> Any:
        if self.memory is None or kind != "yaml":
            return parse(path, data)
        found = self.memory.recall_text(kind, data)
        if found is None:
            found = parse(path, data)
            self.memory.keep_text(kind, data, found)
        return found

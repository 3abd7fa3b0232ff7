"""Reading and writing YAML with DVC's meaning and bytes, at the speed of libyaml.

DVC reads with `ruamel.yaml` (YAML 1.2), which is thirty times slower than libyaml. Here libyaml
parses and we resolve; whatever is odd (tags, directives, tabs, complex keys, any error) goes to
ruamel itself, so the odd is slow but never different.
"""

import re
from collections.abc import Callable, Hashable
from typing import Any, Final

import yaml
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from mlxkit.core.errors import ProjectError
from mlxkit.core.yaml_emit import dumps
from mlxkit.core.yaml_scalars import OddScalar, resolve

__all__ = ["YamlError", "decode", "dumps", "events", "key_line", "load", "skip"]


Events = Callable[[], Any]


class YamlError(ProjectError):
    """A YAML file that DVC could not read either."""

    code = "yaml"


class _Odd(Exception):
    """Something that only ruamel reads as ruamel does."""


# libyaml and ruamel part ways over these: tabs, other line breaks, byte order marks, control
# characters, directives, document markers that are not alone on their line.
_RISKY: Final = re.compile(
    r"[^\n -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    r"|^(?:%|---.|\.\.\.)",
    re.MULTILINE,
)
_Parser: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_DEPTH: Final = 100
_MERGE: Final = object()  # the key `<<` while its mapping is being read
_NO_KEY: Final = object()
_CONFLICT: Final = re.compile(r"^<{7}(?: |$)", re.MULTILINE)
_CONFLICT_END: Final = re.compile(r"^(?:={7}|>{7}(?: .*)?)$", re.MULTILINE)


def load(text: str | bytes, where: str = "") -> Any:
    """Parse one YAML document into plain Python values; an empty one is None.

    Bytes are a file's content: UTF-8, any line ends. Raises YamlError at `where:line`.
    """
    if isinstance(text, bytes):
        text = decode(text, where)
    try:
        if _RISKY.search(text):
            raise _Odd
        return _Builder(text).document()
    except (_Odd, OddScalar, yaml.YAMLError, ValueError, OverflowError):
        return _load_slowly(text, where)


def key_line(text: str, path: tuple[str | int, ...]) -> int | None:
    """The 1-based line of the key (or list item) at `path`; None if there is none."""
    try:
        return _find_line(events(text), path)
    except (yaml.YAMLError, OddScalar, ValueError, OverflowError):
        return None


def events(text: str) -> Events:
    """A function that returns the next of libyaml's events; it raises `yaml.YAMLError`."""
    get: Events = _Parser(text).get_event
    return get


def decode(data: bytes, where: str) -> str:
    """The text of a file as DVC reads it: UTF-8, any line ends turned into newlines."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise YamlError("is not valid UTF-8", where=_place(where, line)) from error
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


class _Builder:
    """Builds values from events with a stack of its own: deep input cannot exhaust C's."""

    def __init__(self, text: str) -> None:
        self._next = events(text)
        self._anchors: dict[str, Any] = {}

    def document(self) -> Any:
        self._next()  # the stream's start
        start = self._next()
        if type(start) is StreamEndEvent:
            return None
        if start.version or start.tags:
            raise _Odd
        value = self._node()
        self._next()  # the document's end
        if type(self._next()) is not StreamEndEvent:
            raise _Odd
        return value

    def _node(self) -> Any:  # noqa: PLR0912, PLR0915  one flat loop: this is the hot path
        get, anchors = self._next, self._anchors
        stack: list[tuple[Any, Any, Any, str | None]] = []
        box: Any = None  # the list or dict being filled; None outside of all
        key: Any = _NO_KEY
        merge: Any = None
        anchor: str | None = None  # of `box`
        while True:
            event = get()
            kind = type(event)
            if kind is ScalarEvent:
                if event.tag is not None:
                    raise _Odd
                value = event.value
                if event.implicit[0]:
                    if value == "<<" and type(box) is dict and key is _NO_KEY:
                        value = _MERGE
                    else:
                        value = resolve(value)
                if event.anchor is not None:
                    anchors[event.anchor] = value
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                complex_key = type(box) is dict and key is _NO_KEY
                if event.tag is not None or complex_key or len(stack) > _MAX_DEPTH:
                    raise _Odd
                stack.append((box, key, merge, anchor))
                box = {} if kind is MappingStartEvent else []
                key, merge, anchor = _NO_KEY, None, event.anchor
                if anchor is not None:
                    anchors[anchor] = _NO_KEY  # an alias to itself is not known yet
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                value = box if merge is None else _merged(merge, box)
                if anchor is not None:
                    anchors[anchor] = value
                box, key, merge, anchor = stack.pop()
            else:
                value = self._alias(event)
            if box is None:
                return value
            if type(box) is list:
                box.append(value)
            elif key is _NO_KEY:
                key = value
                if (key is _MERGE and merge is not None) or not isinstance(key, Hashable):
                    raise _Odd
            elif key is _MERGE:
                merge, key = value, _NO_KEY
                if merge is None:
                    raise _Odd
            else:
                if key in box:
                    raise _Odd  # an error, or a quirk beside `<<`
                box[key] = value
                key = _NO_KEY

    def _alias(self, event: Any) -> Any:
        value = self._anchors.get(event.anchor, _NO_KEY)
        if value is _NO_KEY or value is _MERGE:
            raise _Odd
        return value


def _merged(source: Any, own: dict[Any, Any]) -> dict[Any, Any]:
    sources = source[::-1] if type(source) is list else [source]
    result: dict[Any, Any] = {}
    for mapping in sources:
        if type(mapping) is not dict:
            raise _Odd
        result.update(mapping)
    result.update(own)
    return result


def _load_slowly(text: str, where: str) -> Any:
    import warnings

    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return YAML(typ="safe").load(text)
    except YAMLError as error:
        raise _explained(text, where, error) from error
    except RecursionError as error:
        raise YamlError("is nested too deeply", where=where or None) from error
    except Exception as error:  # ruamel lets ValueError, KeyError and more escape
        raise YamlError(f"invalid value: {_one_line(str(error))}", where=where or None) from error


def _explained(text: str, where: str, error: Exception) -> YamlError:
    conflict = _CONFLICT.search(text)
    if conflict and _CONFLICT_END.search(text, conflict.end()):
        line = text.count("\n", 0, conflict.start()) + 1
        return YamlError(
            "has Git merge-conflict markers",
            where=_place(where, line),
            hint="resolve the conflict, then try again",
        )
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    position = getattr(error, "position", None)
    message = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    if mark is not None:
        return YamlError(_one_line(message), where=_place(where, mark.line + 1))
    if isinstance(position, int):
        return YamlError(_one_line(message), where=_place(where, text.count("\n", 0, position) + 1))
    return YamlError(_one_line(message), where=where or None)


def _place(where: str, line: int) -> str:
    return f"{where}:{line}" if where else f"line {line}"


def _one_line(message: str) -> str:
    return " ".join(message.split())


_STARTS: Final = (MappingStartEvent, SequenceStartEvent)
_ENDS: Final = (MappingEndEvent, SequenceEndEvent)


def _find_line(get: Events, path: tuple[str | int, ...]) -> int | None:
    event = get()
    while isinstance(event, StreamStartEvent | DocumentStartEvent):
        event = get()
    line = event.start_mark.line
    for part in path:
        if isinstance(event, MappingStartEvent):
            found = _find_key(get, part)
        elif isinstance(event, SequenceStartEvent) and isinstance(part, int):
            found = _find_item(get, part)
        else:
            found = None
        if found is None:
            return None
        line, event = found
    if isinstance(event, StreamEndEvent | DocumentEndEvent):
        return None
    return int(line) + 1


def _find_key(get: Events, part: str | int) -> tuple[int, Any] | None:
    while True:
        key: Any = get()
        if isinstance(key, MappingEndEvent):
            return None
        skip(get, key)
        value = get()
        if isinstance(key, ScalarEvent) and part in (key.value, _key_value(key)):
            return _line_of(key), value
        skip(get, value)


def _line_of(event: Any) -> int:
    return int(event.start_mark.line)


def _key_value(key: Any) -> Any:
    return resolve(key.value) if key.implicit[0] and key.value not in ("<<", "=") else key.value


def _find_item(get: Events, index: int) -> tuple[int, Any] | None:
    while True:
        event: Any = get()
        if isinstance(event, SequenceEndEvent):
            return None
        if index == 0:
            return _line_of(event), event
        skip(get, event)
        index -= 1


def skip(get: Events, event: Any) -> None:
    """Read on to the end of the node that `event` starts."""
    depth = 0
    while True:
        if isinstance(event, _STARTS):
            depth += 1
        elif isinstance(event, _ENDS):
            depth -= 1
        if depth == 0:
            return
        event = get()

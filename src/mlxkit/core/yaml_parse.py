"""YAML from libyaml's events: values with YAML 1.2 meaning, places of keys, whole prefixes."""

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

from mlxkit.core.yaml_scalars import OddScalar, resolve

Events = Callable[[], Any]


class OddDocument(Exception):
    """Something that only ruamel reads as ruamel does, or an error."""


_Parser: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_DEPTH: Final = 100
_BLOCK_STYLES: Final = ("|", ">")  # as a root, their lines may look like comments
_ODD_ANCHOR: Final = re.compile(r"[&*][0-9A-Za-z_-]+[^\s,\]}0-9A-Za-z_-]")  # longer to ruamel
_MERGE: Final = object()  # the key `<<` while its mapping is being read
_NO_KEY: Final = object()


def build(text: str) -> Any:
    """The value of a document; OddDocument if ruamel might see it differently."""
    try:
        return _Builder(text).document()
    except (OddScalar, yaml.YAMLError, ValueError, OverflowError) as error:
        raise OddDocument from error


def events(text: str) -> Events:
    """A function that returns the next of libyaml's events; it raises `yaml.YAMLError`."""
    get: Events = _Parser(text).get_event
    return get


def key_line(text: str, path: tuple[str | int, ...]) -> int | None:
    """The 1-based line of the key (or list item) at `path`; None if there is none."""
    try:
        return _find_line(events(text), path)
    except (yaml.YAMLError, ValueError, OverflowError):
        return None


def ends_early(text: str) -> bool:
    """Whether `text` is no document, but for nothing else than that it ends too early."""
    get = events(text)
    try:
        while type(get()) is not StreamEndEvent:
            pass
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark
        return mark is not None and mark.index >= len(text.rstrip())
    except (yaml.YAMLError, ValueError):
        return False
    return False


class _Builder:
    """Builds values from events with a stack of its own: deep input cannot exhaust C's."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next = events(text)
        self._anchors: dict[str, Any] = {}

    def document(self) -> Any:
        self._next()  # the stream's start
        start = self._next()
        if type(start) is StreamEndEvent:
            return None
        if start.version or start.tags:
            raise OddDocument
        value = self._node()
        self._next()  # the document's end
        if type(self._next()) is not StreamEndEvent:
            raise OddDocument
        return value

    def _node(self) -> Any:  # noqa: PLR0912, PLR0915  one flat loop: this is the hot path
        get = self._next
        stack: list[tuple[Any, Any, Any, str | None]] = []
        box: Any = None  # the list or dict being filled; None outside of all
        key: Any = _NO_KEY
        merge: Any = None
        anchor: str | None = None  # of `box`
        while True:
            event = get()
            kind = type(event)
            if kind is ScalarEvent:
                if event.tag is not None or (box is None and event.style in _BLOCK_STYLES):
                    raise OddDocument
                value = event.value
                if event.implicit[0]:
                    if value == "<<" and type(box) is dict and key is _NO_KEY:
                        value = _MERGE
                    else:
                        value = resolve(value)
                if event.anchor is not None:
                    self._anchor(event.anchor, value)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                complex_key = type(box) is dict and key is _NO_KEY
                if event.tag is not None or complex_key or len(stack) > _MAX_DEPTH:
                    raise OddDocument
                if event.flow_style and type(box) is list and not self._has_bracket(event):
                    raise OddDocument  # `[a: b]`
                stack.append((box, key, merge, anchor))
                box = {} if kind is MappingStartEvent else []
                key, merge, anchor = _NO_KEY, None, event.anchor
                if anchor is not None:
                    self._anchor(anchor, _NO_KEY)  # an alias to itself is not known yet
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                value = box if merge is None else _merged(merge, box)
                if anchor is not None:
                    self._anchors[anchor] = value
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
                    raise OddDocument
            elif key is _MERGE:
                merge, key = value, _NO_KEY
                if merge is None:
                    raise OddDocument
            else:
                if key in box:
                    raise OddDocument  # an error, or a quirk beside `<<`
                box[key] = value
                key = _NO_KEY

    def _has_bracket(self, event: Any) -> bool:
        return self._text[event.start_mark.index] in "[{"

    def _anchor(self, name: str, value: Any) -> None:
        if name in self._anchors:
            raise OddDocument  # which of the two an alias means depends on where they end
        if not self._anchors and _ODD_ANCHOR.search(self._text):
            raise OddDocument
        self._anchors[name] = value

    def _alias(self, event: Any) -> Any:
        value = self._anchors.get(event.anchor, _NO_KEY)
        if value is _NO_KEY or value is _MERGE:
            raise OddDocument
        return value


def _merged(source: Any, own: dict[Any, Any]) -> dict[Any, Any]:
    sources = source[::-1] if type(source) is list else [source]
    result: dict[Any, Any] = {}
    for mapping in sources:
        if type(mapping) is not dict:
            raise OddDocument
        result.update(mapping)
    result.update(own)
    return result


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

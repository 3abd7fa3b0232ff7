"""Cuts the text of a `dvc.lock` into one block of lines a stage."""

from typing import Any

import yaml
from yaml.events import (
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    StreamStartEvent,
)

from mlxkit.core.yaml_parse import events, skip


def cut_blocks(text: str) -> tuple[str, dict[str, str], str] | None:
    """The lines before the stages, each stage's, and those after them.

    None if the stages are not plain blocks at column 2.
    """
    try:
        starts, end = _stage_marks(text)
    except (yaml.YAMLError, _Uncuttable, ValueError):
        return None
    bounds = [*starts.values(), len(text) if end is None else end]
    blocks = {name: text[bounds[index] : bounds[index + 1]] for index, name in enumerate(starts)}
    whole = all(block.endswith("\n") for block in blocks.values())
    return (text[: bounds[0]], blocks, text[bounds[-1] :]) if whole else None


class _Uncuttable(Exception):
    """The stages are not plain blocks."""


def _stage_marks(text: str) -> tuple[dict[str, int], int | None]:
    """Where each stage's block starts, and where the key after the stages does."""
    if not text.endswith("\n") or text.startswith("\ufeff"):
        raise _Uncuttable
    get = events(text)
    event = get()
    while isinstance(event, StreamStartEvent | DocumentStartEvent):
        if isinstance(event, DocumentStartEvent) and event.explicit:
            raise _Uncuttable
        event = get()
    _need_block_mapping(event, 0)
    while _name(key := get(), 0) != "stages":
        skip(get, get())
    event = get()
    _need_block_mapping(event, 2)
    starts: dict[str, int] = {}
    while not isinstance(key := get(), MappingEndEvent):
        name = _name(key, 2)
        if name in starts:
            raise _Uncuttable
        starts[name] = key.start_mark.index - 2
        skip(get, get())
    key = get()
    if isinstance(key, MappingEndEvent):
        if get().explicit:  # an explicit end of the document
            raise _Uncuttable
        return starts, None
    _name(key, 0)
    return starts, int(key.start_mark.index)


def _column(event: Any) -> int:
    """Return the column, from 0, where an event of the parser begins."""
    column: int = event.start_mark.column
    return column


def _need_block_mapping(event: Any, column: int) -> None:
    if (
        not isinstance(event, MappingStartEvent)
        or event.flow_style
        or event.anchor is not None
        or event.tag is not None
        or _column(event) != column
    ):
        raise _Uncuttable


def _name(key: Any, column: int) -> str:
    if (
        not isinstance(key, ScalarEvent)
        or key.anchor is not None
        or key.tag is not None
        or _column(key) != column
    ):
        raise _Uncuttable
    return str(key.value)

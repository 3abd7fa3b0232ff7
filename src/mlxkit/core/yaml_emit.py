"""Writing YAML byte for byte as `ruamel.yaml`'s round-trip dumper does at its default width.

The common shapes are written here, forty times faster; one scalar that is hard to write goes
through ruamel alone, and a document that is hard as a whole (shared parts, dates, odd keys) too.
"""

import re
from collections import OrderedDict
from typing import Any, Final

from mlxkit.core.yaml_scalars import is_text

_WIDTH: Final = 80
_DEEPEST: Final = 40  # columns of indentation; deeper is left to ruamel
_LONGEST_KEY: Final = 70

_PRINTABLE: Final = re.compile(
    r"[ -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]+"
)
_NOT_PLAIN: Final = re.compile(
    r"""[ #,\[\]{}&*!|>'"%@`] | --- | \.\.\. | [?:-](?:[ ]|\Z)""", re.VERBOSE
)
_BREAKS_PLAIN: Final = re.compile(r":(?: |\Z)| #| \Z")
_PIECES: Final = re.compile(r" +|[^ ]+")


class _Hard(Exception):
    """A document that is left to ruamel as a whole."""


def dumps(data: Any) -> str:
    """The text that DVC writes for plain `data`: dicts, lists, strings, numbers, dates, None."""
    writer = _Writer()
    try:
        writer.root(data)
    except (_Hard, RecursionError):
        return _ruamel(data)
    return "".join(writer.out)


class _Writer:
    """Collects the pieces of one document in `out`."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self._seen: set[int] = set()

    def root(self, data: Any) -> None:
        kind = type(data)
        if not data or (kind is not dict and kind is not list and kind is not OrderedDict):
            raise _Hard
        if kind is list:
            self._sequence(data, 0, "")
        else:
            self._mapping(data, 0, "")

    def _visit(self, data: Any, indent: int) -> str:
        """Refuse what ruamel would give an anchor; the indentation as text."""
        if id(data) in self._seen or indent > _DEEPEST:
            raise _Hard
        self._seen.add(id(data))
        return " " * indent

    def _mapping(self, data: dict[Any, Any], indent: int, first: str) -> None:
        """Write the entries at column `indent`; `first` stands before the first key."""
        pad = self._visit(data, indent)
        lead = first
        for key, value in data.items():
            name = _key(key)
            self.out.append(f"{lead}{name}:")
            lead = pad
            kind = type(value)
            if kind is str:
                self.out.append(_text(value, indent + len(name) + 2, indent + 2))
            elif kind is dict or kind is OrderedDict:
                if value:
                    self.out.append("\n")
                    self._mapping(value, indent + 2, pad + "  ")
                else:
                    self._empty(value, indent, " {}\n")
            elif kind is list or kind is tuple:
                if value:
                    self.out.append("\n")
                    self._sequence(value, indent, pad)
                else:
                    self._empty(value, indent, " []\n")
            else:
                self.out.append(_plain(_number(value), indent + len(name) + 2, indent + 2))

    def _sequence(self, data: list[Any] | tuple[Any, ...], indent: int, first: str) -> None:
        """Write the items, their dashes at column `indent`."""
        pad = self._visit(data, indent)
        lead = first
        for value in data:
            self.out.append(f"{lead}-")
            lead = pad
            kind = type(value)
            if kind is str:
                self.out.append(_text(value, indent + 2, indent + 2))
            elif kind is dict or kind is OrderedDict:
                if value:
                    self._mapping(value, indent + 2, " ")
                else:
                    self._empty(value, indent, " {}\n")
            elif kind is list or kind is tuple:
                if value:
                    self._sequence(value, indent + 2, " ")
                else:
                    self._empty(value, indent, " []\n")
            elif value is None:
                self.out.append(" \n")  # ruamel leaves the blank after the dash
            else:
                self.out.append(_plain(_number(value), indent + 2, indent + 2))

    def _empty(self, data: Any, indent: int, text: str) -> None:
        if type(data) is not tuple:  # there is one empty tuple, and ruamel knows
            self._visit(data, indent)
        self.out.append(text)


def _key(key: Any) -> str:
    if type(key) is str:
        if not key or len(key) > _LONGEST_KEY or not _PRINTABLE.fullmatch(key):
            raise _Hard
        if is_text(key) and _fits_plain(key):
            return key
        if "'" in key:
            raise _Hard
        return f"'{key}'"
    name = _number(key)
    if not name or len(name) > _LONGEST_KEY:
        raise _Hard
    return name


def _number(value: Any) -> str:
    """A value other than text as plain text: number, bool or None (the empty text)."""
    kind = type(value)
    if kind is int:
        return str(value)
    if value is None:
        return ""
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        text = repr(value)
        return f".{text}" if text in ("inf", "nan") else text.replace("-inf", "-.inf")
    raise _Hard


def _fits_plain(text: str) -> bool:
    return _NOT_PLAIN.match(text) is None and _BREAKS_PLAIN.search(text) is None


def _text(text: str, column: int, indent: int) -> str:
    """A string as value: its text starts at `column`, its further lines at `indent`."""
    if text:
        if _PRINTABLE.fullmatch(text) is None:
            return _scalar_by_ruamel(text, column, indent)
        if is_text(text) and _fits_plain(text):
            return _plain(text, column, indent)
        if "'" in text:
            return _scalar_by_ruamel(text, column, indent)
    return _quoted(text, column, indent)


def _plain(text: str, column: int, indent: int) -> str:
    if column + len(text) <= _WIDTH:
        return f" {text}\n" if text else "\n"
    # ruamel breaks before a word that would not fit (leaving the blank before it at the line's
    # end) and at a single blank from the width on.
    out = [" "]
    break_line = "\n" + " " * indent
    for piece in _PIECES.findall(text):
        if piece[0] == " ":
            if len(piece) == 1 and column >= _WIDTH:
                out.append(break_line)
                column = indent
                continue
        elif column > indent and column + len(piece) > _WIDTH:
            out.append(break_line)
            column = indent
        out.append(piece)
        column += len(piece)
    out.append("\n")
    return "".join(out)


def _quoted(text: str, column: int, indent: int) -> str:
    column += 1
    if column + len(text) <= _WIDTH:
        return f" '{text}'\n"
    out = [" '"]
    pieces = _PIECES.findall(text)
    last = len(pieces) - 1
    for index, piece in enumerate(pieces):
        if piece == " " and column > _WIDTH and 0 < index < last:
            out.append("\n" + " " * indent)
            column = indent
        else:
            out.append(piece)
            column += len(piece)
    out.append("'\n")
    return "".join(out)


def _scalar_by_ruamel(text: str, column: int, indent: int) -> str:
    """What ruamel writes for `text` in that place, by a small document with the same place."""
    levels = indent // 2 - 1
    data: Any
    if column == indent:  # an item of a list
        data, lead = {"k": [text]}, "  " * levels + "k:\n" + "  " * levels + "-"
    else:
        name = "k" * (column - indent)
        data, lead = {name: text}, "  " * levels + name + ":"
    for level in range(levels - 1, -1, -1):
        data = {"k": data}
        lead = "  " * level + "k:\n" + lead
    return _ruamel(data)[len(lead) :]


def _ruamel(data: Any) -> str:
    from mlxkit.core.yaml_ruamel import dump

    return dump(data)

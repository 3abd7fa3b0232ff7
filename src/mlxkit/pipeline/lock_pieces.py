"""A lock file cut into the texts of its stages, and such a text read without YAML.

Commits that follow each other differ in a stage or two, so a reader of many remembers each stage
by its text. What has just the form that DVC writes is read by patterns; for anything else the
answer is None, and YAML tells the same, slowly.
"""

import re
from typing import Final, NamedTuple

STAGE: Final = re.compile(r"\n(?=  [^\s#-])")
"""Where the text of the next stage begins."""
_NAME: Final = re.compile(r"  ([A-Za-z_][\w.@/-]*):\n")
_SECTION: Final = re.compile(r"(?m)^    (cmd|deps|params|outs):(?: |\n)")
_NO_TEXT: Final = re.compile(r"(?i)(?:true|false|null|yes|no|on|off|y|n|\.nan|[-+]?\.inf)\Z")
_ITEM: Final = re.compile(
    r"    - path: ([A-Za-z_./][\w./@+=-]*)\n"
    r"(?:      hash: (md5)\n)?"
    r"      md5: '?([0-9a-f]{32}(?:\.dir)?)'?\n"
    r"(?:      size: ([0-9]{1,18})\n)?"
    r"(?:      nfiles: ([0-9]{1,18})\n)?"
    r"(?:      isexec: true\n)?"
)


class Item(NamedTuple):
    """A dependency or an output as it is recorded."""

    path: str
    md5: str
    hash: str | None
    size: int | None
    nfiles: int | None


class Piece(NamedTuple):
    """A stage: its name, its `deps` and `outs`, and the text of what else is recorded of it."""

    name: str
    items: dict[str, tuple[Item, ...]]
    rest: str


def read_piece(text: str) -> Piece | None:
    """Read a stage that has just the form that DVC writes; None for any other."""
    text = text if text.endswith("\n") else text + "\n"
    name = _NAME.match(text)
    if name is None or _NO_TEXT.match(name[1]):
        return None
    marks = list(_SECTION.finditer(text, name.end()))
    kinds = [mark[1] for mark in marks]
    if not marks or marks[0].start() != name.end() or len(set(kinds)) != len(kinds):
        return None
    found: dict[str, tuple[Item, ...]] = {}
    rest: list[str] = []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for mark, end in zip(marks, ends, strict=True):
        if mark[1] in ("deps", "outs"):
            items = _items(text, mark.end(), end)
            if items is None:
                return None
            found[mark[1]] = items
        else:
            rest.append(text[mark.start() : end])
    return Piece(name[1], found, "".join(rest))


def _items(text: str, start: int, end: int) -> tuple[Item, ...] | None:
    found = []
    while start < end:
        item = _ITEM.match(text, start, end)
        if item is None or _NO_TEXT.match(item[1]):
            return None
        path, hash_, md5, size, nfiles = item.groups()
        if not path.strip("+-.0123456789eE_"):
            return None  # a number, maybe
        found.append(
            Item(path, md5, hash_, int(size) if size else None, int(nfiles) if nfiles else None)
        )
        start = item.end()
    return tuple(found)

"""Lock files of many commits: what they have on record of dependencies and outputs.

They are cut into stages by their lines, and each stage's text is read once; in the form that DVC
writes by patterns, in any other as YAML, with the same result.
"""

import re
from typing import Any, Final

from mlxkit.core import yaml
from mlxkit.core.errors import MlxError
from mlxkit.pipeline.lockfile import parse

_HEAD: Final = "schema: '2.0'\nstages:\n"
_STAGE: Final = re.compile(r"\n(?=  [^\s#-])")
_OUTSIDE: Final = re.compile(r"\n(?!  )[^\n]")
_NAME: Final = re.compile(r"  ([A-Za-z_][\w.@/-]*):\n")
_SECTION: Final = re.compile(r"(?m)^    (cmd|deps|params|outs):(?: |\n)")
_NO_TEXT: Final = re.compile(r"(?i)(?:true|false|null|yes|no|on|off|y|n|\.nan|[-+]?\.inf)\Z")
_ITEM: Final = re.compile(
    r"    - path: ([A-Za-z_./][\w./@+=-]*)\n"
    r"(?:      hash: (md5)\n)?"
    r"      md5: '?([0-9a-f]{32}(?:\.dir)?)'?\n"
    r"(?:      size: ([0-9]+)\n)?"
    r"(?:      nfiles: ([0-9]+)\n)?"
    r"(?:      isexec: true\n)?"
)


class LockTexts:
    """Parses lock files; commits that follow each other differ in a stage or two."""

    def __init__(self) -> None:
        self._files: dict[bytes, dict[str, Any]] = {}
        self._stages: dict[str, dict[str, Any]] = {}

    def entries(self, raw: bytes, where: str) -> dict[str, Any]:
        """Return `deps` and `outs` by stage; raises ProjectError for a file that is invalid."""
        if raw not in self._files:
            try:
                found = self._by_stages(yaml.decode(raw))
            except MlxError:
                found = None
            self._files[raw] = parse(raw, where).get("stages", {}) if found is None else found
        return self._files[raw]

    def _by_stages(self, text: str) -> dict[str, Any] | None:
        """Return the entries of a file in the form that DVC writes, None for any other."""
        body = text.removeprefix(_HEAD)
        if body == text or not body.startswith("  ") or _OUTSIDE.search(body):
            return None
        found: dict[str, Any] = {}
        for piece in _STAGE.split(body):
            if piece not in self._stages:
                entry = _quick(piece) or yaml.load(piece)
                if not (isinstance(entry, dict) and len(entry) == 1):
                    return None
                self._stages[piece] = entry
            for name, one in self._stages[piece].items():
                if name in found or not isinstance(one, dict):
                    return None
                found[name] = one
        return found


def _quick(piece: str) -> dict[str, Any] | None:
    """Read a stage that has just the form that DVC writes; None for any other."""
    piece = piece if piece.endswith("\n") else piece + "\n"
    name = _NAME.match(piece)
    if name is None or _NO_TEXT.match(name[1]):
        return None
    marks = list(_SECTION.finditer(piece, name.end()))
    if not marks or marks[0].start() != name.end():
        return None
    entry: dict[str, Any] = {}
    for number, mark in enumerate(marks):
        if mark[1] in entry:
            return None
        end = marks[number + 1].start() if number + 1 < len(marks) else len(piece)
        items = _items(piece, mark.end(), end) if mark[1] in ("deps", "outs") else []
        if items is None:
            return None
        entry[mark[1]] = items
    return {name[1]: {key: entry[key] for key in ("deps", "outs") if key in entry}}


def _items(piece: str, start: int, end: int) -> list[dict[str, Any]] | None:
    found = []
    while start < end:
        item = _ITEM.match(piece, start, end)
        if item is None or _NO_TEXT.match(item[1]) or not item[1].strip("+-.0123456789eE_"):
            return None
        one: dict[str, Any] = {"path": item[1], "md5": item[3]}
        if item[2]:
            one["hash"] = "md5"
        if item[4]:
            one["size"] = int(item[4])
        if item[5]:
            one["nfiles"] = int(item[5])
        found.append(one)
        start = item.end()
    return found

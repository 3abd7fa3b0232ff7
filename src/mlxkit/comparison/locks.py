"""Lock files of many commits: what they have on record of dependencies and outputs.

They are cut into stages by their lines, and each stage's text is read once; in the form that DVC
writes by patterns, in any other as YAML, with the same result.
"""

import re
from typing import Any, Final

from mlxkit.core import yaml
from mlxkit.core.errors import MlxError
from mlxkit.pipeline.lock_pieces import STAGE, Item, read_piece
from mlxkit.pipeline.lockfile import parse

_HEAD: Final = "schema: '2.0'\nstages:\n"
_OUTSIDE: Final = re.compile(r"\n(?!  )[^\n]")


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
        for piece in STAGE.split(body):
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
    found = read_piece(piece)
    if found is None:
        return None
    lists = {kind: [_plain(one) for one in items] for kind, items in found.items.items()}
    return {found.name: {kind: lists[kind] for kind in ("deps", "outs") if kind in lists}}


def _plain(item: Item) -> dict[str, Any]:
    return {key: value for key, value in item._asdict().items() if value is not None}

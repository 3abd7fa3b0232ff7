"""Cuts lock files and `.dvc` files of any time into recipes: what was made of what, and how.

A lock file changes by a stage or two a commit, so its text is cut into stages by its lines, and
only pieces never seen before are parsed; those by patterns of the form that DVC writes. What is
not in that form is parsed as YAML, with the same result.
"""

import re
from typing import Any, Final

from mlxkit.core import yaml
from mlxkit.core.errors import MlxError
from mlxkit.lineage.recipe import Recipe, Unreadable, Used, of_dvcfile, of_entry
from mlxkit.pipeline.lock_pieces import STAGE, read_piece

_STAGE_1: Final = re.compile(r"\n(?=[^\s#-])")  # schema 1.0 has the stages at the top
_STAGES: Final = re.compile(r"(?:\A|\n)stages:\n")
_TOP: Final = re.compile(r"\n(?=[^\s#-])")


def cut(path: str, data: bytes) -> list[str]:
    """Return the pieces of a file, each a text for `parse`; raises Unreadable."""
    try:
        text = yaml.decode(data)
    except MlxError as error:
        raise Unreadable(str(error)) from error
    if not path.endswith("dvc.lock"):
        return [text]
    if not text.strip():
        return []
    if not text.startswith("schema:") and "\nschema:" not in text:
        if _STAGES.search(text) is None:
            # Schema 1.0: moved to where later schemas have the stages.
            return ["  " + one.replace("\n", "\n  ") for one in _ended(_STAGE_1.split(text))]
        return _whole(text)
    start = _STAGES.search(text)
    if start is None:
        return _whole(text)
    body = text[start.end() :]
    end = _TOP.search("\n" + body)
    if end is not None:
        body = body[: end.start()]
    if not body.startswith("  ") or body.startswith("   "):
        return _whole(text)
    return _ended(STAGE.split(body))


def parse(path: str, piece: str) -> list[Recipe]:
    """Return the recipes of one piece of the file at `path`; raises Unreadable."""
    if not path.endswith("dvc.lock"):
        return [of_dvcfile(_loaded(piece))]
    quick = _quick(piece)
    if quick is not None:
        return [quick]
    stages = _loaded(piece)
    if not isinstance(stages, dict):
        raise Unreadable("is not a mapping")
    return [of_entry(name, entry) for name, entry in stages.items()]


def parse_all(path: str, data: bytes) -> list[Recipe]:
    """Return all recipes of a file at once; raises Unreadable."""
    pieces = cut(path, data)
    try:
        return [one for piece in pieces for one in parse(path, piece)]
    except Unreadable:
        if not path.endswith("dvc.lock"):
            raise
        # A piece alone may lack an anchor of another, or a text may look like a stage's head.
        return [one for piece in _whole(yaml.decode(data)) for one in parse(path, piece)]


def recut(data: bytes) -> list[str]:
    """Return the pieces of a lock file whose lines mislead; raises Unreadable."""
    return _whole(yaml.decode(data))


def _ended(pieces: list[str]) -> list[str]:
    return [one if one.endswith("\n") else one + "\n" for one in pieces if one.strip()]


def _whole(text: str) -> list[str]:
    """Parse the whole, and write each stage in DVC's form: the slow way, for any form."""
    data = _loaded(text)
    if not isinstance(data, dict):
        raise Unreadable("is not a mapping")
    stages = data.get("stages", {}) if "schema" in data or "stages" in data else data
    if not isinstance(stages, dict):
        raise Unreadable("'stages' is not a mapping")
    try:
        return [
            "".join(f"  {line}\n" for line in yaml.dumps({name: entry}).splitlines())
            for name, entry in stages.items()
        ]
    except Exception as error:  # what no lock file holds: dates, keys that are no texts
        raise Unreadable(str(error)) from error


def _loaded(text: str) -> Any:
    try:
        return yaml.load(text)
    except (MlxError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def _quick(piece: str) -> Recipe | None:
    """Read a piece that has just the form that DVC writes; None for any other."""
    found = read_piece(piece)
    if found is None:
        return None
    entry = _remembered(found.rest)
    if not isinstance(entry, dict) or not entry.keys() <= {"cmd", "params"}:
        return None
    used = {
        kind: tuple(Used(one.path, one.md5, one.size) for one in items)
        for kind, items in found.items.items()
    }
    return of_entry(found.name, entry, used)


_LAST: dict[str, Any] = {}
"""The commands and parameters last parsed: most stages change in neither."""


def _remembered(text: str) -> Any:
    if text not in _LAST:
        if len(_LAST) > 2000:
            _LAST.clear()
        try:
            _LAST[text] = yaml.load(text)
        except (MlxError, RecursionError):
            return None
    return _LAST[text]

"""What is left of a `dvc.lock` whose writer was killed.

Plain dvc writes the file in place, so a kill leaves it empty or cut at any byte. All stages before
the cut are whole. The one at the cut is dropped even if it parses: an entry that ends after its
`deps` is valid YAML and a valid entry, yet it says that the stage has no outputs. Running one
stage again, or taking it from the run-cache, is cheaper than believing half of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml as pyyaml
from yaml.events import StreamEndEvent

from mlxkit.core import yaml
from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.lock_shape import check_shape
from mlxkit.pipeline.lock_text import HEADER, block_of

_TOP_LINE: Final = re.compile(r"[^ #\n]")
_STAGE_LINE: Final = re.compile(r"  [^ #\n]")
_DATASETS_CUT: Final = re.compile(r"schema: '2\.0'\ndatasets:\n")
_ENTRY_KEYS: Final = frozenset(("cmd", "deps", "params", "outs"))


@dataclass(frozen=True)
class Salvaged:
    """A mended lock: names of the stages kept from the cut file, taken from the fallback, lost."""

    stages: Mapping[str, dict[str, Any]]
    kept: tuple[str, ...]
    restored: tuple[str, ...]
    lost: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class _Parts:
    """The lines up to the cut stage, and that stage's name where it can still be read."""

    head: str
    cut_name: str | None


def is_cut(text: str) -> bool:
    """Whether `text` is not a lock but the beginning of one, as a killed writer leaves it.

    A cut between two lines of the last entry can leave a valid lock; nothing tells it from one
    that was meant so, and its last stage merely runs again.
    """
    text = _without_zeros(text)
    return not _is_lock(text) and _parts(text) is not None


def salvage(text: str, fallback: str | None) -> Salvaged | None:
    """Mend a cut lock, its missing stages taken from the older lock `fallback`.

    None if `text` is not the beginning of a lock: conflict markers and other edits by hand are
    for their author to mend. An empty text means that nothing is left to write.
    """
    text = _without_zeros(text)
    parts = None if _is_lock(text) else _parts(text)
    if parts is None:
        return None
    whole, older = _data(parts.head), _data(fallback or "")
    kept: dict[str, Any] = whole.get("stages") or {}
    restored = {
        name: entry for name, entry in (older.get("stages") or {}).items() if name not in kept
    }
    extra = {
        key: older[key] for key in older if key not in ("schema", "stages") and key not in whole
    }
    stages = {**kept, **restored}
    lost = (parts.cut_name,) if parts.cut_name and parts.cut_name not in stages else ()
    mended = ""
    if stages:
        mended = parts.head if kept else HEADER
        mended += "".join(block_of(name, entry) for name, entry in restored.items())
        mended += yaml.dumps(extra) if extra else ""
        if not _is_lock(mended):
            return None
    return Salvaged(stages, tuple(kept), tuple(restored), lost, mended)


def _without_zeros(text: str) -> str:
    return text.rstrip("\0")  # some file systems leave these after a power cut


def _is_lock(text: str) -> bool:
    return bool(_data(text))


def _data(text: str) -> dict[str, Any]:
    """The data of a valid lock, else nothing."""
    try:
        data = yaml.load(text)
        check_shape(data, text, "")
    except ProjectError:
        return {}
    return dict(data)


def _parts(text: str) -> _Parts | None:
    """Split off what the cut has spoilt; None if `text` is not the beginning of a lock."""
    if HEADER.startswith(text.rstrip(" ")):
        return _Parts("", None)
    lines = text.splitlines(keepends=True)
    if HEADER.splitlines(keepends=True)[1] not in lines:
        return _Parts("", None) if _DATASETS_CUT.match(text) and _ends_early(text) else None
    first = lines.index("stages:\n") + 1
    after = next((i for i in range(first, len(lines)) if _TOP_LINE.match(lines[i])), len(lines))
    if after < len(lines):
        return _parts_after(lines, after)
    names = [i for i in range(first, after) if _STAGE_LINE.match(lines[i])]
    last = names[-1] if names else first
    head = "".join(lines[:last])
    if last > first and not _is_lock(head):
        return None
    return _cut_entry(head, lines[last:])


def _parts_after(lines: list[str], after: int) -> _Parts | None:
    """The stages are whole, the cut is in the data sets behind them."""
    head, rest = "".join(lines[:after]), "".join(lines[after:])
    known = "datasets:".startswith(rest) or rest.startswith("datasets:")
    return _Parts(head, None) if known and _is_lock(head) and _ends_early(rest) else None


def _cut_entry(head: str, lines: list[str]) -> _Parts | None:
    """Accept `lines` as the beginning of one stage's entry."""
    whole = "".join(line for line in lines if line.endswith("\n"))
    if not whole:
        return _Parts(head, None)
    name = lines[0].strip().removesuffix(":").strip("'")
    try:
        data = yaml.load(whole)
    except yaml.YamlError:
        return _Parts(head, name) if _ends_early(whole) else None
    entry = data.get(name, ()) if isinstance(data, dict) else ()
    if entry is None:
        return _Parts(head, name)
    if not isinstance(entry, dict) or next(iter(entry), None) != "cmd":
        return None
    return _Parts(head, name) if _ENTRY_KEYS.issuperset(entry) else None


def _ends_early(text: str) -> bool:
    """Whether the text's whole lines are valid YAML as far as they go."""
    text = text[: text.rfind("\n") + 1]
    get = yaml.events(text)
    try:
        while not isinstance(get(), StreamEndEvent):
            pass
    except pyyaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return mark is not None and mark.index >= len(text.rstrip())
    except pyyaml.YAMLError:
        return False
    return True

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

from mlxkit.core import yaml
from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.lock_shape import check_shape, is_entry
from mlxkit.pipeline.lock_text import HEADER, block_of

_TOP_LINE: Final = re.compile(r"[^ #\n]")
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
_STAGE_LINE: Final = re.compile(r"  (?!: )[^ #\n]")
_KEYS: Final = ("cmd", "deps", "params", "outs")
_UNFINISHED: Final = object()
_BROKEN: Final = object()


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
    """Whether `text` is only the beginning of a lock, as a killed writer leaves it.

    A cut between two lines of the last entry can leave a valid lock; nothing tells it from one
    that was meant so, and its last stage merely runs again.
    """
    return not _is_whole(text) and _parts(_without_zeros(text)) is not None


def salvage(text: str, fallback: str | None) -> Salvaged | None:
    """Mend a cut lock, its missing stages taken from the older lock `fallback`.

    None if `text` is not the beginning of a lock: conflict markers and other edits by hand are
    for their author to mend. An empty text means that nothing is left to write.
    """
    parts = None if _is_whole(text) else _parts(_without_zeros(text))
    if parts is None:
        return None
    whole, older = _data(parts.head), _data(fallback or "")
    kept: dict[str, Any] = whole.get("stages", {})
    restored = {name: entry for name, entry in older.get("stages", {}).items() if name not in kept}
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
        if not _data(mended):
            return None
    return Salvaged(stages, tuple(kept), tuple(restored), lost, mended)


def _without_zeros(text: str) -> str:
    return text.rstrip("\0")  # some file systems leave these after a power cut


def _is_whole(text: str) -> bool:
    """Whether the text is a valid lock and does not just happen to be one at the cut."""
    data = _data(text)
    if not data or text.endswith("\n"):
        return bool(data)
    # DVC ends its last line. Where the lines before it are as DVC writes them, it was cut;
    # otherwise a hand wrote this file, and left out the newline.
    lines = text[: text.rfind("\n") + 1]
    return not (yaml.dumps(data).startswith(lines) or _is_canonical(lines))


def _is_canonical(lines: str) -> bool:
    try:
        return yaml.dumps(yaml.load(lines)) == lines
    except yaml.YamlError:
        return False


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
    if text.endswith("\n") and _data(text):
        return _Parts(text, None)  # only zeros were behind it
    if not text.strip() or HEADER.startswith(text):
        return _Parts("", None)
    lines = _LINE.findall(text)
    if "stages:\n" not in lines:
        rest = text.removeprefix(HEADER.removesuffix("stages:\n"))
        return _Parts("", None) if rest != text and _is_datasets(rest) else None
    first = lines.index("stages:\n") + 1
    after = next((i for i in range(first, len(lines)) if _TOP_LINE.match(lines[i])), len(lines))
    if after < len(lines):
        return _parts_after(lines, after)
    names = [i for i in range(first, after) if _STAGE_LINE.match(lines[i])]
    last = names[-1] if names else first
    head = "".join(lines[:last])
    if last > first and not _data(head):
        return None
    return _cut_entry(head, lines[last:])


def _parts_after(lines: list[str], after: int) -> _Parts | None:
    """The stages are whole, the cut is in the data sets behind them."""
    head, rest = "".join(lines[:after]), "".join(lines[after:])
    return _Parts(head, None) if _data(head) and _is_datasets(rest) else None


def _is_datasets(rest: str) -> bool:
    """Whether `rest` is a beginning of the data sets, the other part of a lock."""
    key = "datasets:"
    return key.startswith(rest) or (rest.startswith(key) and _parse(rest) is not _BROKEN)


def _cut_entry(head: str, lines: list[str]) -> _Parts | None:
    """Accept `lines` as the beginning of one stage's entry."""
    whole = "".join(line for line in lines if line.endswith("\n"))
    if not whole:
        return _Parts(head, None)
    data = _parse(whole)
    if data is _BROKEN:
        return None
    name = _key_of(lines[0])
    if name is None or name in _data(head).get("stages", {}):
        return None
    if data is not _UNFINISHED and not (
        isinstance(data, dict) and len(data) == 1 and _begins_entry(data[name])
    ):
        return None
    return _Parts(head, name)


def _begins_entry(entry: Any) -> bool:
    """Whether lines can follow `entry` that make it valid: at most its last part is unfinished."""
    if entry is None:
        return True
    if not isinstance(entry, dict) or list(entry) != [key for key in _KEYS if key in entry]:
        return False
    *_, last = entry
    closed = {key: value for key, value in entry.items() if key != last}
    if last == "cmd":
        return isinstance(entry[last], str | list | None)
    if entry[last] is not None:
        closed[last] = _closed(entry[last])
    return is_entry(closed)


def _closed(part: Any) -> Any:
    """The `deps`, `params` or `outs` without what is unfinished at its end."""
    if isinstance(part, list) and part:
        item = part[-1]
        unfinished = item is None or (isinstance(item, dict) and item.get("path", item) is None)
        return part[:-1] if unfinished else part
    if isinstance(part, dict):
        *_, last = part.items() or [("", None)]
        return {key: value for key, value in part.items() if (key, value) != (last[0], None)}
    return part


def _key_of(line: str) -> str | None:
    data = _parse(line)
    key = next(iter(data), None) if isinstance(data, dict) else None
    return key if isinstance(key, str) else None


def _parse(text: str) -> Any:
    """The data of the text's whole lines, _UNFINISHED if they end too early, or _BROKEN."""
    from mlxkit.core.yaml_parse import ends_early

    text = text[: text.rfind("\n") + 1]
    try:
        return yaml.load(text)
    except yaml.YamlError:
        return _UNFINISHED if ends_early(text) else _BROKEN

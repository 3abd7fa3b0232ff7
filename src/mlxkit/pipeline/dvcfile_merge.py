"""Merges three versions of a `.dvc` file (pure).

What it says of the data (digests, sizes, where it was imported from) belongs together and comes
from one side. What people add (descriptions, labels, `meta`) is merged a key at a time.
"""

from typing import Any, Final, NamedTuple

from mlxkit.core import yaml
from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.lock_merge import Merged
from mlxkit.pipeline.lock_sides import Marks, wrap
from mlxkit.pipeline.three_ways import pick, same

_NOTES: Final = ("meta", "desc", "type", "labels", "remote", "push")
Place = tuple[Any, ...]
Notes = dict[Place, Any]


class ByLines(NamedTuple):
    """What Git's own merge by lines makes of the three; it keeps comments of both sides."""

    text: str
    clean: bool


def merge_dvcfiles(
    base: bytes, ours: bytes, theirs: bytes, by_lines: ByLines, marks: Marks
) -> Merged:
    """Merge two versions that come from `base`; the one conflict is named by what clashes.

    Raises ProjectError where one of the three is no `.dvc` file that can be read.
    """
    old = _read(base, "base") if base.strip() else {"outs": []}
    mine, other = _read(ours, marks.ours), _read(theirs, marks.theirs)
    facts, notes = _chosen(old, mine, other), _merged_notes(old, mine, other)
    if facts is None or notes is None:
        marked = by_lines.text
        if by_lines.clean:
            marked = wrap(yaml.decode(ours), yaml.decode(theirs), marks)
        clash = "data" if facts is None else "notes"
        return Merged(marked, yaml.decode(ours), (clash,))
    wanted = _with_notes(facts, notes)
    text = by_lines.text
    if not by_lines.clean or not _reads_as(text, wanted):
        text = _updated(yaml.decode(ours), wanted)
    return Merged(text, text)


def digests(raw: bytes) -> list[str]:
    """Return what a `.dvc` file says that its data is, for people."""
    try:
        outs = _read(raw, "")["outs"]
    except ProjectError:
        return []
    return [str(one.get("md5") or one.get("etag") or one.get("checksum") or "?") for one in outs]


def _read(raw: bytes, where: str) -> dict[str, Any]:
    data = yaml.load(raw, where)
    items = [*data.get("outs", ()), *data.get("deps", ())] if _is_dvcfile(data) else [None]
    if not all(isinstance(one, dict) and isinstance(one.get("path"), str) for one in items):
        raise ProjectError("is not a .dvc file", where=where)
    return dict(data)


def _is_dvcfile(data: Any) -> bool:
    return (
        isinstance(data, dict)
        and isinstance(data.get("outs"), list)
        and isinstance(data.get("deps", []), list)
    )


def _chosen(old: Any, mine: Any, other: Any) -> dict[str, Any] | None:
    """The facts of the side that changed them, None if both did."""
    before, ours, theirs = _facts(old), _facts(mine), _facts(other)
    if same(ours, theirs) or same(before, theirs):
        return ours
    return theirs if same(before, ours) else None


def _facts(data: dict[str, Any]) -> dict[str, Any]:
    """All but the notes."""
    found = {key: value for key, value in data.items() if key not in _NOTES}
    found["outs"] = [
        {key: value for key, value in out.items() if key not in _NOTES} for out in data["outs"]
    ]
    return found


def _merged_notes(old: Any, mine: Any, other: Any) -> Notes | None:
    before, ours, theirs = _notes(old), _notes(mine), _notes(other)
    picked = pick(before, ours, theirs)
    kept = {place: value for place, value in ours.items() if place not in picked.drop}
    merged = {**kept, **picked.take}
    nested = any(place[:end] in merged for place in merged for end in range(1, len(place)))
    return None if picked.clashes or nested else merged


def _notes(data: dict[str, Any]) -> Notes:
    """Each value of the notes by where it is: a key of the file, or of an output."""
    found: Notes = {}
    for where, holder in [((), data), *(((one["path"],), one) for one in data["outs"])]:
        for key in _NOTES:
            if key in holder:
                _flatten((len(where), *where, key), holder[key], found)
    return found


def _flatten(place: Place, value: Any, found: Notes) -> None:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            _flatten((*place, key), inner, found)
    else:
        found[place] = value


def _with_notes(facts: dict[str, Any], notes: Notes) -> dict[str, Any]:
    data = {**facts, "outs": [dict(out) for out in facts["outs"]]}
    by_path = {out["path"]: out for out in data["outs"]}
    for (of_output, *place), value in notes.items():
        holder = by_path.get(place.pop(0)) if of_output else data
        if holder is None:  # the output is no more
            continue
        for key in place[:-1]:
            holder = holder.setdefault(key, {})
        holder[place[-1]] = value
    return data


def _reads_as(text: str, wanted: Any) -> bool:
    try:
        return same(yaml.load(text), wanted)
    except ProjectError:
        return False


def _updated(text: str, wanted: dict[str, Any]) -> str:
    """Change what differs in `text`; the rest of it, and its comments, stay."""
    from mlxkit.core.yaml_ruamel import dump, parse_for_update

    data = parse_for_update(text)
    _update(data, wanted)
    return dump(data)


def _update(target: Any, wanted: Any) -> None:
    for key in [key for key in target if key not in wanted]:
        del target[key]
    for key, value in wanted.items():
        now = target.get(key)
        if isinstance(value, dict) and isinstance(now, dict):
            _update(now, value)
        elif isinstance(value, list) and isinstance(now, list) and _pair(now, value):
            for item, new in zip(now, value, strict=True):
                _update(item, new)
        elif key not in target or now != value:
            target[key] = value


def _pair(now: list[Any], value: list[Any]) -> bool:
    """Whether both lists have the same items by path, in the same order."""
    return len(now) == len(value) and all(
        isinstance(one, dict) and isinstance(two, dict) and one.get("path") == two.get("path")
        for one, two in zip(now, value, strict=True)
    )

"""Merges three versions of a `dvc.lock`, a stage at a time (pure).

An entry says that this command made these outputs of these inputs. It is true as a whole: one put
together from two sides would tell of a run that never was. So each entry comes from one side, and a
stage that both sides changed in their own ways is a conflict.

The result is what DVC would have written had theirs' stages run on top of ours: an entry that is
there keeps its place, a new one comes last, in the order in which theirs has them.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from mlxkit.core import yaml
from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.lock_sides import Marks, split, wrap
from mlxkit.pipeline.lock_text import Document, Replay, block_of, cut, is_fresh, make_put
from mlxkit.pipeline.lockfile import parse
from mlxkit.pipeline.three_ways import UNKNOWN, pick, same

Data = Mapping[str, Any]


class Merged(NamedTuple):
    """The merge: `text` has markers around each of the `conflicts`, `settled` has ours there."""

    text: str
    settled: str
    conflicts: tuple[str, ...] = ()
    theirs: Data = MappingProxyType({})
    """What they have of the conflicts, without what they removed."""


def merge_locks(base: bytes, ours: bytes, theirs: bytes, marks: Marks) -> Merged:
    """Merge two versions that come from `base` (empty: each side added the file).

    Raises ProjectError where ours or theirs is no lock that can be read, or where what clashes
    cannot be marked on its own: Git's merge by lines is left.
    """
    old, mine, other = _base(base), parse(ours, marks.ours), parse(theirs, marks.theirs)
    stages: Data = mine.get("stages", {})
    theirs_stages: Data = other.get("stages", {})
    picked = pick(None if old is None else old.get("stages", {}), stages, theirs_stages)
    text = _without(yaml.decode(ours), picked.drop)
    text = _with_datasets(text, old, mine, other)
    puts = tuple(make_put(name, picked.take[name], rank) for rank, name in enumerate(picked.take))
    result = Replay(text).apply(puts)
    if not picked.clashes:
        settled = result if isinstance(result, str) else result.text()
        return Merged(settled, settled)
    if isinstance(result, str):
        raise ProjectError("has stages that are no blocks of their own", where=marks.ours)
    marked = _marked(result, theirs_stages, picked.clashes, marks)
    left = {name: theirs_stages[name] for name in picked.clashes if name in theirs_stages}
    return Merged(marked, result.text(), tuple(picked.clashes), left)


def _base(raw: bytes) -> dict[str, Any] | None:
    """The data of the common ancestor, None where it cannot be read.

    Git itself makes one by merging two ancestors, and so one with markers: a stage that differs
    between its sides is unlike any other.
    """
    if not raw.strip():
        return {}
    try:
        return parse(raw, "")
    except ProjectError:
        pass
    try:
        sides = split(yaml.decode(raw))
        if sides is None:
            return None
        first, second = (parse(side.encode(), "") for side in sides)
    except ProjectError:
        return None
    return {
        key: _agreed(first.get(key, {}), second.get(key, {}))
        if key == "stages"
        else (first.get(key) if same(first.get(key), second.get(key)) else UNKNOWN)
        for key in {**first, **second}
    }


def _agreed(first: Data, second: Data) -> dict[str, Any]:
    return {
        name: first[name]
        if name in first and name in second and same(first[name], second[name])
        else UNKNOWN
        for name in {**first, **second}
    }


def _without(text: str, names: Iterable[str]) -> str:
    """What DVC leaves of a lock when it removes these stages."""
    gone = set(names)
    if not gone:
        return text
    document = cut(text)
    if document is not None and gone < set(document.blocks) and is_fresh(text):
        blocks = {name: block for name, block in document.blocks.items() if name not in gone}
        return Document(document.prefix, blocks, document.suffix).text()
    from mlxkit.core.yaml_ruamel import dump, parse_for_update

    data = parse_for_update(text)
    for name in gone:
        del data["stages"][name]
    return dump(data)


def _with_datasets(text: str, old: Data | None, mine: Data, other: Data) -> str:
    """Merge the part for data sets, each of them by its name."""
    before = None if old is None else old.get("datasets", [])
    ours, theirs = (side.get("datasets") or [] for side in (mine, other))
    if same(ours, theirs) or same(before, theirs):
        return text
    known = None if before is None or before is UNKNOWN else _by_name(before)
    named = _by_name(ours)
    picked = pick(known, named, _by_name(theirs))
    if picked.clashes:
        what = ", ".join(f"'{name}'" for name in picked.clashes)
        raise ProjectError(f"data set {what} changed on both sides", where="datasets")
    kept = {name: one for name, one in named.items() if name not in picked.drop}
    from mlxkit.core.yaml_ruamel import dump, parse_for_update

    data = parse_for_update(text)
    data["datasets"] = list({**kept, **picked.take}.values())
    if not data["datasets"]:
        del data["datasets"]
    return dump(data)


def _by_name(datasets: Any) -> dict[str, Any]:
    try:
        return {one["name"]: one for one in datasets}
    except (TypeError, KeyError):
        raise ProjectError("has data sets without names", where="datasets") from None


def _marked(result: Document, theirs: Data, clashes: list[str], marks: Marks) -> str:
    """The text of `result`, which has ours, with both sides where they clash."""
    blocks = dict(result.blocks)
    for name in clashes:
        if name not in blocks:
            blocks = _inserted(blocks, name, list(theirs))
        other = block_of(name, theirs[name]) if name in theirs else ""
        blocks[name] = wrap(blocks[name], other, marks)
    return Document(result.prefix, blocks, result.suffix).text()


def _inserted(blocks: dict[str, str], name: str, order: list[str]) -> dict[str, str]:
    """Make a place for a stage that ours has removed: after that which theirs has before it."""
    before = order[: order.index(name)]
    names = list(blocks)
    place = next((names.index(one) + 1 for one in reversed(before) if one in blocks), 0)
    names.insert(place, name)
    return {one: blocks.get(one, "") for one in names}

"""Stages whose records differ between two revisions, why they ran, and what that cost (pure)."""

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from mlxkit.metrics.difference import difference
from mlxkit.reports.changes import Costs, StageChange, StageCost
from mlxkit.reports.locks import Entries
from mlxkit.runs.cost import cost_of
from mlxkit.runs.prices import Prices
from mlxkit.runs.record import Item, Record, canonical, plain

_MADE = ("ran", "restored")
_Key = tuple[Any, ...]


class Runs:
    """Recorded runs, to be found by what they read and made."""

    def __init__(self, records: Mapping[str, Record]) -> None:
        """`records` by id, the oldest first."""
        self._made: dict[_Key, tuple[str, Record]] = {}
        for name, record in records.items():
            if record.outcome in _MADE:
                key = _key(record.stage, record.outs, record.deps, record.params)
                known = self._made.get(key)
                # A run tells more than a later restoration of what it made.
                if known is None or known[1].outcome != "ran" or record.outcome == "ran":
                    self._made[key] = name, record

    def of(self, stage: str, entry: Mapping[str, Any] | None) -> tuple[str, Record] | None:
        """Return the run that made what the lock records of a stage, if it is on record."""
        outs, deps = (
            [Item(str(one.get("path")), one.get("md5")) for one in _items(entry, kind)]
            for kind in ("outs", "deps")
        )
        return self._made.get(_key(stage, outs, deps, _params(entry or {})))


def _key(stage: str, outs: Iterable[Item], deps: Iterable[Item], params: Mapping[str, Any]) -> _Key:
    """Return what tells runs apart; paths are not in it, the lock's begin elsewhere."""
    values = sorted(canonical(plain(one)) for one in params.values())
    digests = (tuple(sorted(one.md5 for one in side if one.md5)) for side in (outs, deps))
    return (stage, *digests, tuple(values))


def stage_changes(old: Entries, new: Entries, runs: Runs) -> list[StageChange]:
    """Return the stages that are new, gone, renamed, or recorded otherwise, in the lock's order."""
    found = []
    gone = [stage for stage in old if stage not in new]
    for stage, entry in new.items():
        before = old.get(stage)
        if before == entry:
            continue
        former = next((one for one in gone if before is None and old[one] == entry), None)
        if former is not None:
            gone.remove(former)
            found.append(StageChange(stage, "renamed", [f"was {former}"]))
            continue
        reasons = _reasons(before, entry) if before is not None else []
        outs = _changed_outs(before, entry)
        if before is not None and not reasons and not outs:
            continue  # only sizes or the order differ
        made = runs.of(stage, entry)
        told = () if made is None else (made[0], made[1].outcome, made[1].seconds)
        kind = "new" if before is None else "ran"
        found.append(StageChange(stage, kind, reasons, outs, *told))
    return found + [StageChange(stage, "gone") for stage in gone]


def stage_costs(old: Entries, new: Entries, runs: Runs, prices: Prices | None) -> Costs:
    """Return what the runs cost that made the outputs recorded at both sides."""
    found, unknown = [], 0
    for stage in dict.fromkeys([*new, *old]):
        before, after = (_cost(runs.of(stage, side.get(stage)), prices) for side in (old, new))
        if before is None and after is None:
            unknown += 1
            continue
        old_seconds, old_price = before or (None, None)
        new_seconds, new_price = after or (None, None)
        found.append(StageCost(stage, old_seconds, new_seconds, old_price, new_price))
    currency = prices.currency if prices is not None else ""
    return Costs(found, unknown, currency, prices is not None)


def outdated(entries: Entries) -> list[str]:
    """Return the stages that read something else than what is recorded of who makes it now."""
    made = {
        path: _digest(one)
        for stage, entry in entries.items()
        for path, one in _placed(stage, entry, "outs")
    }
    return [
        stage
        for stage, entry in entries.items()
        if any(
            made.get(path, _digest(one)) != _digest(one)
            for path, one in _placed(stage, entry, "deps")
        )
    ]


def _placed(
    stage: str, entry: Mapping[str, Any], kind: str
) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Return items by their path from the project's root, as far as the stage's file tells it."""
    folder = posixpath.dirname(stage.rpartition(":")[0])
    return [
        (posixpath.normpath(posixpath.join(folder, str(one.get("path")))), one)
        for one in _items(entry, kind)
    ]


def _cost(
    made: tuple[str, Record] | None, prices: Prices | None
) -> tuple[float, float | None] | None:
    if made is None or made[1].outcome != "ran":
        return None  # what a restored result cost is not known
    told = cost_of(made[1], prices)
    return told.seconds, told.price


def _reasons(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    found = ["command changed"] if before.get("cmd") != after.get("cmd") else []
    found += [f"changed: {path}" for path in _changed(before, after, "deps")]
    changes = difference(_params(before), _params(after))
    for path, names in changes.items():
        place = "" if posixpath.basename(path) == "params.yaml" else f"{path}:"
        found += [
            f"parameter {place}{name} ({_brief(one['old'])} → {_brief(one['new'])})"
            for name, one in names.items()
        ]
    return found


def _changed_outs(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[str]:
    if before is None:
        return [str(one.get("path")) for one in _items(after, "outs")]
    return _changed(before, after, "outs")


def _changed(before: Mapping[str, Any], after: Mapping[str, Any], kind: str) -> list[str]:
    """Return the paths that one side lacks, or that have another digest."""
    old, new = (
        {str(one.get("path")): _digest(one) for one in _items(side, kind)}
        for side in (before, after)
    )
    return [path for path in dict.fromkeys([*new, *old]) if old.get(path) != new.get(path)]


def _digest(item: Mapping[str, Any]) -> Any:
    return item.get("md5") or item.get(item.get("hash") or "") or item.get("etag") or ""


def _items(entry: Mapping[str, Any] | None, kind: str) -> Iterable[Mapping[str, Any]]:
    items = (entry or {}).get(kind) or ()
    return [one for one in items if isinstance(one, Mapping)]


def _params(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    told = entry.get("params") or {}
    return told if isinstance(told, Mapping) else {}


def _brief(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else text[:39] + "…"

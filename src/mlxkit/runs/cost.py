"""What runs cost: sums of what was measured, and prices of it (pure)."""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from mlxkit.runs.prices import Prices
from mlxkit.runs.record import Record

GIB = 1 << 30
HOUR = 3600.0
_NOTHING_RUN = "committed"
_LARGEST = 1e18
"""More of anything was never used; sums of such figures would be no numbers any more."""
_Key = TypeVar("_Key", bound=Hashable)


class Cost(NamedTuple):
    """What some runs cost in all; None where no run was measured.

    `runs` started a command, `failed` of them in vain; `restored` are results that needed none.
    `unmeasured` runs are in the sums with their seconds alone.
    """

    runs: int = 0
    failed: int = 0
    restored: int = 0
    unmeasured: int = 0
    seconds: float = 0.0
    failed_seconds: float = 0.0
    cpu_seconds: float | None = None
    gpu_seconds: float | None = None
    peak_memory: float | None = None
    memory_gib_hours: float | None = None
    read_bytes: float | None = None
    written_bytes: float | None = None
    price: float | None = None
    failed_price: float | None = None


def cost_of(record: Record, prices: Prices | None) -> Cost:
    """Return what one run cost."""
    told = record.cost
    failed, restored = record.outcome == "failed", record.outcome == "restored"
    seconds = _number(record.seconds) or 0.0
    peak = _number(told.get("peak_memory"))
    found = Cost(
        runs=0 if restored else 1,
        failed=int(failed),
        restored=int(restored),
        unmeasured=int(not restored and _number(told.get("cpu_seconds")) is None),
        seconds=seconds,
        failed_seconds=seconds if failed else 0.0,
        cpu_seconds=_number(told.get("cpu_seconds")),
        gpu_seconds=_number(told.get("gpu_seconds")),
        peak_memory=peak,
        memory_gib_hours=None if peak is None else peak / GIB * seconds / HOUR,
        read_bytes=_number(told.get("read_bytes")),
        written_bytes=_number(told.get("written_bytes")),
    )
    price = _price(found, prices) if prices is not None else None
    return found._replace(price=price, failed_price=price if failed else _zero(price))


def add(one: Cost, other: Cost) -> Cost:
    """Return what both cost together."""
    both = {
        name: _sum(before, after)
        for name, before, after in zip(Cost._fields, one, other, strict=True)
    }
    both["peak_memory"] = _largest(one.peak_memory, other.peak_memory)
    return Cost(**both)


def total(costs: Iterable[Cost]) -> Cost:
    """Return what all of them cost together."""
    found = Cost()
    for one in costs:
        found = add(found, one)
    return found


def grouped(
    records: Mapping[str, Record],
    prices: Prices | None,
    key: Callable[[str, Record], _Key],
) -> dict[_Key, Cost]:
    """Return what the runs of each group cost; the group of a run is `key(its id, its record)`.

    Data that was only recorded is in none: no command of it was run.
    """
    found: dict[_Key, Cost] = {}
    for name, record in records.items():
        if record.outcome == _NOTHING_RUN:
            continue
        group = key(name, record)
        found[group] = add(found.get(group, Cost()), cost_of(record, prices))
    return found


def _price(cost: Cost, prices: Prices) -> float:
    """Return the price of what was measured; what was not is not made up."""
    return (
        (cost.cpu_seconds or 0.0) / HOUR * prices.cpu_hour
        + (cost.gpu_seconds or 0.0) / HOUR * prices.gpu_hour
        + (cost.memory_gib_hours or 0.0) * prices.memory_gib_hour
        + (cost.read_bytes or 0.0) / GIB * prices.read_gib
        + (cost.written_bytes or 0.0) / GIB * prices.written_gib
    )


def _number(value: Any) -> float | None:
    """Return a record's figure; records are other people's words."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if math.isfinite(value) and 0 <= value < _LARGEST else None


def _sum(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return one if other is None else other
    return one + other


def _largest(one: float | None, other: float | None) -> float | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _zero(value: float | None) -> float | None:
    return None if value is None else 0.0

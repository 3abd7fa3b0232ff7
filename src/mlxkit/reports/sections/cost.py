"""What the recorded runs cost that made all this, beside those at the base."""

from collections.abc import Sequence

from mlxkit.core.words import counted, duration
from mlxkit.reports.changes import Report, StageCost
from mlxkit.reports.outline import Block, Cell, Code, Lines, Section, Table


def section(report: Report) -> Section:
    """Return the total, and the stages folded; nothing where no run is on record."""
    costs = report.costs
    if not costs.stages:
        return Section("Cost", [])
    header = ["Stage", "Time at base", "Time now"]
    if costs.priced:
        unit = f" ({costs.currency})" if costs.currency else ""
        header += [f"Price at base{unit}", f"Price now{unit}"]
    right = frozenset(range(1, len(header)))
    both = [
        one for one in costs.stages if one.old_seconds is not None and one.new_seconds is not None
    ]
    blocks: list[Block] = []
    if both:
        total = _row("all of them", _sum(both), priced=costs.priced)
        blocks.append(Table(8, header, [total], right=right))
    rows = [_row(Code(one.stage), one, priced=costs.priced) for one in costs.stages]
    blocks.append(Table(18, header, rows, f"cost of {counted(len(rows), 'stage')}", right))
    if told := _told(len(both), len(costs.stages), costs.unknown):
        blocks.append(Lines(9, [told], bullets=False))
    return Section("Cost", blocks)


def _told(both: int, known: int, unknown: int) -> str:
    """Say what the figures leave out."""
    found = []
    if not both:
        found.append("No stage has a run on record on both sides.")
    elif both < known:
        found.append(f"The total is of {counted(both, 'stage')} with runs on record on both sides.")
    if unknown:
        found.append(f"{counted(unknown, 'stage')} without a run on record.")
    return " ".join(found)


def _sum(stages: Sequence[StageCost]) -> StageCost:
    def total(values: Sequence[float | None]) -> float | None:
        known = [one for one in values if one is not None]
        return sum(known) if known else None

    return StageCost(
        "",
        total([one.old_seconds for one in stages]),
        total([one.new_seconds for one in stages]),
        total([one.old_price for one in stages]),
        total([one.new_price for one in stages]),
    )


def _row(name: Cell, one: StageCost, *, priced: bool) -> list[Cell]:
    times = ["–" if it is None else duration(it) for it in (one.old_seconds, one.new_seconds)]
    prices = ["–" if it is None else f"{it:.2g}" for it in (one.old_price, one.new_price)]
    return [name, *times, *(prices if priced else [])]

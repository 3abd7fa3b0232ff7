"""Shows how two tables differ, as blocks for any medium."""

import json
from collections.abc import Mapping, Sequence

from mlxkit.cli.diff_blocks import Block
from mlxkit.cli.tables import number
from mlxkit.data.rows.report import Cell, Changed, Column, Row, RowsDiff, Stats

_LONGEST = 60


def blocks(found: RowsDiff) -> list[Block]:
    """Return the counts, what became of the columns, and the first rows of each kind."""
    numbers = [one for one in found.columns if _is_number(one)]
    others = [one for one in found.columns if not _is_number(one)]
    shown = [Block(f"{found.old} -> {found.new}", lines=_counts(found))]
    if numbers:
        header = ["column", "type", "changed", "nulls", "distinct", "mean", "std"]
        header += ["p5", "p50", "p95"]
        rows = [_number_row(one) for one in numbers]
        shown.append(Block("Numbers", header, rows, (), frozenset(range(2, len(header)))))
    if others:
        header = ["column", "type", "changed", "nulls", "distinct", "most frequent"]
        rows = [_other_row(one) for one in others]
        shown.append(Block("Other columns", header, rows, (), frozenset({2, 3, 4})))
    if found.changed_rows:
        title = _title("Changed rows", len(found.changed_rows), found.changed or 0)
        header = [*found.key, "change"]
        shown.append(Block(title, header, [_changed_row(one) for one in found.changed_rows]))
    for name, rows_found, total in (
        ("Added rows", found.added_rows, found.added),
        ("Removed rows", found.removed_rows, found.removed),
    ):
        if rows_found:
            shown.append(_rows(name, rows_found, total))
    return shown


def _counts(found: RowsDiff) -> list[str]:
    how = (
        f"matched by {', '.join(found.key)}" if found.key else "compared as a whole, without --key"
    )
    rows = f"{found.added:,} added, {found.removed:,} removed"
    if found.changed is not None:
        rows += f", {found.changed:,} changed"
    lines = [f"rows: {found.old_rows:,} -> {found.new_rows:,}: {rows} ({how})"]
    told = [
        f"{len(names)} {state}: {', '.join(names)}"
        for state in ("added", "removed", "retyped")
        if (names := [one.name for one in found.columns if one.state == state])
    ]
    lines.append(f"columns: {'; '.join(told) if told else 'the same'}")
    if found.approximate:
        lines.append("distinct counts and quantiles are estimates: the tables are large")
    return lines


def _title(name: str, shown: int, total: int) -> str:
    return f"{name} ({total:,})" if shown == total else f"{name} ({shown:,} of {total:,})"


def _is_number(one: Column) -> bool:
    return any(side is not None and side.mean is not None for side in (one.old, one.new))


def _number_row(one: Column) -> list[str]:
    def shift(name: str) -> str:
        return _shift(*(getattr(side, name) if side else None for side in (one.old, one.new)))

    return [*_common(one), *(shift(name) for name in ("mean", "std", "p5", "p50", "p95"))]


def _other_row(one: Column) -> list[str]:
    return [*_common(one), _tops(one)]


def _common(one: Column) -> list[str]:
    types = one.old_type or one.new_type or ""
    if one.state == "retyped":
        types = f"{one.old_type} -> {one.new_type}"
    elif one.state != "same":
        types = f"{types} ({one.state})"
    changed = "" if one.changed is None else f"{one.changed:,}"
    nulls = _pair(*(_nulls(side) for side in (one.old, one.new)))
    distinct = _pair(*(f"{side.distinct:,}" if side else "" for side in (one.old, one.new)))
    return [one.name, types, changed, nulls, distinct]


def _nulls(side: Stats | None) -> str:
    if side is None:
        return ""
    text = "0%" if not side.nulls else f"{100 * side.null_share:.2g}%"
    return f"{text} + {side.nan:,} NaN" if side.nan else text


def _shift(old: float | None, new: float | None) -> str:
    return _pair(*("" if one is None else number(float(one), 5) for one in (old, new)))


def _pair(old: str, new: str) -> str:
    if not old or not new or old == new:
        return old or new
    return f"{old} -> {new}"


def _tops(one: Column) -> str:
    """Return the most frequent values of either side with their shares before and after."""
    sides = [side for side in (one.old, one.new) if side is not None]
    if all(count <= 1 for side in sides for _, count in side.top) and sides[0].distinct > 10:
        return "all different"
    values = list(dict.fromkeys(value for side in sides for value, _ in side.top))
    shares = []
    for value in values[:4]:
        told = [_share(side, value) for side in sides]
        shares.append(f"{_cell(value)} {_pair(told[0], told[-1])}")
    return ", ".join(shares)


def _share(side: Stats, value: Cell) -> str:
    return f"{100 * dict(side.top).get(value, 0) / side.rows:.3g}%" if side.rows else "0%"


def _changed_row(one: Changed) -> list[str]:
    cells = [f"{name}: {_quoted(old)} -> {_quoted(new)}" for name, (old, new) in one.cells.items()]
    return [*(_cell(value) for value in one.key.values()), ", ".join(cells)]


def _rows(name: str, rows: Sequence[Row], total: int) -> Block:
    columns: Mapping[str, Cell] = rows[0].values
    header = list(columns)
    shown = [[_cell(row.values[column]) for column in columns] for row in rows]
    if any(row.times > 1 for row in rows):
        header.insert(0, "times")
        for cells, row in zip(shown, rows, strict=True):
            cells.insert(0, str(row.times))
    return Block(_title(name, sum(row.times for row in rows), total), header, shown)


def _cell(value: Cell) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _quoted(value: Cell) -> str:
    if value is None:
        return "null"
    if not isinstance(value, str):
        return str(value)
    return json.dumps(_cell(value), ensure_ascii=False)

"""Draws experiments as text: what varies first, as many columns as the width takes."""

import datetime
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from mlxkit.cli import terminal
from mlxkit.cli.exp_columns import Wanted, by_importance, in_reading_order
from mlxkit.cli.exp_layout import Drawn, lines_of, narrowed, total
from mlxkit.cli.exp_titles import short_titles
from mlxkit.cli.tables import aligned
from mlxkit.cli.terminal import printable
from mlxkit.experiments.forms import Choice, shown
from mlxkit.experiments.table import UNREADABLE, Column, Row, best, columns
from mlxkit.metrics.importance import Interest
from mlxkit.metrics.preferences import Preference, preference_of

_WIDEST = 28
_NAMES = 40
_IN_A_PIPE = 120
_MISSES = 12
"""So many columns are tried that do not fit, to find narrower ones."""


class View(NamedTuple):
    """How to draw: `width` None fits anything; `everything` also shows what is the same in all.

    `pinned` columns are there whatever the width; `interest` tells which metrics come first.
    """

    width: int | None = None
    everything: bool = False
    choice: Choice = Choice()
    pinned: Sequence[Column] = ()
    precision: int = 5
    preferences: Mapping[str, Preference] = {}
    interest: Interest = Interest()
    now: datetime.datetime | None = None


class Drawing(NamedTuple):
    """Lines of the table, and what to say of it."""

    lines: list[str]
    notes: list[str]


def draw(groups: Sequence[Sequence[Row]], view: View) -> Drawing:
    """Return the table."""
    rows = [row for group in groups for row in group]
    every = columns(groups)
    wanted = by_importance(
        groups, every, view.choice, view.pinned, view.interest, everything=view.everything
    )
    names = Drawn(["experiment", *(_label(row) for row in rows)], left=True)
    fixed = [names, *_states(rows)]
    extra = [Drawn(["made", *(_made(row.created, view.now) for row in rows)])]
    extra.append(Drawn(["commit", *("" if r.kind == "workspace" else r.rev[:7] for r in rows)]))
    extra = [
        one for one in extra if not view.choice.dropped(one.cells[0].replace("made", "Created"))
    ]
    named = short_titles(wanted.columns, every)

    def data(one: Column) -> Drawn:
        return _data(rows, one, named[one], view)

    taken, left_out = _fitting(fixed, wanted, data, extra, view.width)
    return Drawing(lines_of(rows, taken), _notes(rows, taken, wanted.constant, left_out))


def _label(row: Row) -> str:
    name = printable(row.label)
    if len(name) > _NAMES:
        name = name[: _NAMES - 1] + "…"
    return f"  {name}" if row.kind == "experiment" else name


def _states(rows: Sequence[Row]) -> list[Drawn]:
    if not any(row.state for row in rows):
        return []
    return [Drawn(["state", *(printable(row.state or "") for row in rows)], left=True)]


def _data(rows: Sequence[Row], column: Column, title: tuple[str, str], view: View) -> Drawn:
    texts = [_cell(row, column, view.precision) for row in rows]
    if column.kind == "metrics":
        texts = aligned(texts, [row.value(column) for row in rows])
    cells = [printable(title[1]), *texts]
    marks: frozenset[int] = frozenset()
    if column.kind == "metrics":
        top = best(rows, column, preference_of(column.name, view.preferences).better)
        if top is not None:
            marks = frozenset(
                at
                for at, row in enumerate(rows, 1)
                if row.kind != "workspace" and row.value(column) == top
            )
    return Drawn(cells, marks=marks, file=printable(title[0]))


def _cell(row: Row, column: Column, precision: int) -> str:
    value = row.value(column)
    if column.kind == "deps" and isinstance(value, str):
        return value[:7]
    if row.error is not None and value is None and not row.values:
        return "!"
    text = printable(shown(value, precision))
    return text if len(text) <= _WIDEST or value is UNREADABLE else text[: _WIDEST - 1] + "…"


def _made(created: str | None, now: datetime.datetime | None) -> str:
    if not created:
        return ""
    today = (now or datetime.datetime.now()).date().isoformat()
    return created[11:16] if created[:10] == today else created[:10]


def _fitting(
    fixed: list[Drawn],
    wanted: Wanted,
    draw_one: Callable[[Column], Drawn],
    extra: list[Drawn],
    width: int | None,
) -> tuple[list[Drawn], int]:
    """Return the columns that fit, in order; and how many of the data do not.

    What was varied goes first as far as there is room; one metric is there in any case.
    """
    if width is None:
        return [*fixed, *map(draw_one, in_reading_order(wanted.columns)), *extra], 0
    drawn: dict[Column, Drawn] = {}
    first = next((one for one in wanted.columns if one.kind == "metrics"), None)
    sure = [*wanted.columns[: wanted.sure or 1], *([first] if first else [])]
    misses = 0
    for one in dict.fromkeys([*sure, *wanted.columns]):
        if misses == _MISSES:
            break
        drawn[one] = draw_one(one)
        if one not in sure and total([*fixed, *_ordered(drawn)]) > width:
            del drawn[one]
            misses += 1
    left_out = len(wanted.columns) - len(drawn)
    taken = _ordered(drawn)
    for one_more in () if left_out else extra:
        if total([*fixed, *taken, one_more]) <= width:
            taken.append(one_more)
    if (over := total([*fixed, *taken]) - width) > 0:
        fixed = [narrowed(fixed[0], fixed[0].width - over), *fixed[1:]]
    return [*fixed, *taken], left_out


def _ordered(drawn: Mapping[Column, Drawn]) -> list[Drawn]:
    return [drawn[one] for one in in_reading_order(drawn)]


def _notes(
    rows: Sequence[Row], taken: Sequence[Drawn], constant: Sequence[Column], left_out: int
) -> list[str]:
    notes = []
    if any(one.marks for one in taken):
        notes.append("* the best of its metric")
    parts = []
    if left_out:
        parts.append(f"{left_out} that differ" if left_out > 1 else "1 that differs")
    if constant:
        parts.append(f"{len(constant)} constant")
    if parts:
        notes.append(f"columns left out: {', '.join(parts)}   (--keep, --all, --csv)")
    for row in rows:
        if row.error is not None:
            notes.append(f"{printable(row.label)}: {printable(row.error)}")
    return notes


def width_of_terminal() -> int:
    """Return the width to fit: in a file, and for a program, that of a usual terminal."""
    return terminal.width(sys.stdout) if sys.stdout.isatty() else _IN_A_PIPE

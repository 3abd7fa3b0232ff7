"""The table of experiments for other programs: CSV as DVC writes it, and the cells of Markdown."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from mlxkit.core.errors import UsageError
from mlxkit.experiments.table import UNREADABLE, Column, Row, columns, short, titles

_TYPES = {"workspace": "baseline", "baseline": "baseline"}


class Choice(NamedTuple):
    """Which columns: patterns to drop and to keep whatever else says, and only those that vary."""

    drop: Sequence[str] = ()
    keep: Sequence[str] = ()
    only_changed: bool = False

    def check(self) -> None:
        """Raise UsageError for a pattern that is none."""
        for option, patterns in (("--drop", self.drop), ("--keep", self.keep)):
            for one in patterns:
                try:
                    re.compile(one)
                except re.error as error:
                    raise UsageError(f"{option} {one!r}: {error}") from None

    def kept(self, title: str) -> bool:
        """Tell whether a column is to be kept in any case."""
        return any(re.match(one, title) for one in self.keep)

    def dropped(self, title: str) -> bool:
        """Tell whether a column is to be dropped."""
        return any(re.match(one, title) for one in self.drop) and not self.kept(title)


def as_csv(groups: Sequence[Sequence[Row]], choice: Choice, precision: int | None) -> str:
    """Return the table as DVC's CSV."""
    header, rows = cells(groups, choice, precision, fill="")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def cells(
    groups: Sequence[Sequence[Row]], choice: Choice, precision: int | None, fill: str
) -> tuple[list[str], list[list[str]]]:
    """Return titles and rows of all columns that are chosen."""
    every = columns(groups)
    named = titles(every)
    header = ["Experiment", "rev", "typ", "Created", "parent", "State", "Executor"]
    header += [named[one] for one in every]
    rows = [_cells(row, every, precision, fill) for group in groups for row in group]
    wanted = [at for at, title in enumerate(header) if _is_wanted(title, at, rows, choice, fill)]
    return [header[at] for at in wanted], [[row[at] for at in wanted] for row in rows]


def shown(value: Any, precision: int | None, fill: str = "-") -> str:
    """Return a value as DVC prints it: numbers to so many significant digits."""
    if value is UNREADABLE:
        return "!"
    return fill if value is None else str(_rounded(value, precision))


def _rounded(value: Any, precision: int | None) -> Any:
    if isinstance(value, float) and precision:
        return f"{value:.{precision}g}"
    if isinstance(value, dict):
        return {key: _rounded(one, precision) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one, precision) for one in value]
    return value


def _cells(row: Row, every: Sequence[Column], precision: int | None, fill: str) -> list[str]:
    experiment = row.kind == "experiment"
    value = row.value if row.unreadable else row.values.get
    kind = "branch_base" if row.is_last else "branch_commit"
    return [
        (row.name or "") if experiment else "",
        short(row.rev) if experiment else row.label,
        kind if experiment else _TYPES[row.kind],
        row.created or fill,
        "",
        row.state.capitalize() if row.state else fill,
        row.executor.capitalize() if row.executor else fill,
        *(shown(value(one), precision, fill) for one in every),
    ]


def _is_wanted(
    title: str, at: int, rows: Sequence[Sequence[str]], choice: Choice, fill: str
) -> bool:
    if choice.kept(title):
        return True
    values = {row[at] for row in rows}
    if title in ("State", "Executor") and values <= {fill}:
        return False
    return not (choice.only_changed and len(values) == 1) and not choice.dropped(title)

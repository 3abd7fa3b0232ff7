"""Shows named values of several files: side by side where they share names and the width allows."""

import re
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlxkit.cli import terminal
from mlxkit.core.words import number as number  # noqa: PLC0414 - for others, too

GAP = "  "
_DECIMAL = re.compile(r"[-+]?[0-9]+\.([0-9]+)( .*)?")
_Shown = tuple[str, Mapping[str, str]]


def show_files(
    files: Sequence[tuple[str, Mapping[str, Any]]],
    title: str,
    marks: Mapping[str, str],
    precision: int = 5,
) -> None:
    """Print the values of each file; `marks` are signs to put behind some names."""
    shown = [
        (path, {name: number(one, precision) for name, one in values.items()})
        for path, values in files
    ]
    for group in _groups(shown):
        rows = _rows(group, title, marks)
        if len(group) > 1 and _width(rows) > _columns():
            for file in group:
                _print(_rows([file], title, marks))
                terminal.write()
        else:
            _print(rows)
            terminal.write()


def show_rows(
    rows: Sequence[Sequence[str]], spare: Sequence[int] = (), words: Collection[int] = ()
) -> None:
    """Print rows under their titles; columns of `spare` are left out, in order, till all fits.

    The first column and those of `words` begin at the left, the others end at the right.
    """
    left_out: set[int] = set()
    kept = rows
    for column in (*spare, None):
        kept = [[cell for index, cell in enumerate(row) if index not in left_out] for row in rows]
        if column is None or _width(kept) <= _columns():
            break
        left_out.add(column)
    left = [index for index in range(len(rows[0])) if index not in left_out]
    _print(kept, [at for at, index in enumerate(left) if index in words])


def aligned(texts: Sequence[str], values: Sequence[Any]) -> list[str]:
    """Return decimal fractions with as many decimals as the longest has; others as they are.

    The added digits are those of the values that the texts were made of.
    """
    found = [_DECIMAL.fullmatch(one) for one in texts]
    most = max((len(one[1]) for one in found if one), default=0)
    return [
        f"{_sign(text)}{Decimal(repr(value)):.{most}f}{one[2] or ''}"
        if one and isinstance(value, float)
        else text
        for text, one, value in zip(texts, found, values, strict=True)
    ]


def _sign(text: str) -> str:
    return "+" if text.startswith("+") else ""


def _groups(files: Sequence[_Shown]) -> list[list[_Shown]]:
    """Put files together that share at least half of their names, in order."""
    groups: list[list[_Shown]] = []
    for path, values in files:
        for group in groups:
            shared = group[0][1].keys() & values.keys()
            if 2 * len(shared) >= max(len(group[0][1]), len(values)):
                group.append((path, values))
                break
        else:
            groups.append([(path, values)])
    return groups


def _rows(group: Sequence[_Shown], title: str, marks: Mapping[str, str]) -> list[list[str]]:
    longest = max((values for _, values in group), key=len)
    names = dict.fromkeys([*longest, *(name for _, values in group for name in values)])
    rows = [[title, *(path for path, _ in group)]]
    for name in names:
        cells = [values.get(name, "-") for _, values in group]
        rows.append([f"{name}{marks.get(name, '')}", *cells])
    return rows


def _width(rows: Sequence[Sequence[str]]) -> int:
    return sum(_widths(rows)) + len(GAP) * (len(rows[0]) - 1)


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]


def _print(rows: Sequence[Sequence[str]], words: Collection[int] = ()) -> None:
    widths = _widths(rows)
    for index, row in enumerate(rows):
        line = GAP.join(
            cell.ljust(width) if at in (0, *words) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        terminal.write(terminal.styled(line, "bold") if index == 0 else line)


def _columns() -> int:
    """Return the width to fit: the terminal's; a pipe takes any."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000

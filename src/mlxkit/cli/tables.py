"""Shows named values of several files: side by side where they share names and the width allows."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mlxkit.cli import terminal

GAP = "  "


def show_files(
    files: Sequence[tuple[str, Mapping[str, Any]]], title: str, marks: Mapping[str, str]
) -> None:
    """Print the values of each file; `marks` are signs to put behind some names."""
    for group in _groups(files):
        rows = _rows(group, title, marks)
        if len(group) > 1 and _width(rows) > _columns():
            for file in group:
                _print(_rows([file], title, marks))
                terminal.write()
        else:
            _print(rows)
            terminal.write()


def number(value: Any) -> str:
    """Return a value for people: five significant digits, integers in full."""
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    return f"{value:.5g}"


def _groups(
    files: Sequence[tuple[str, Mapping[str, Any]]],
) -> list[list[tuple[str, Mapping[str, Any]]]]:
    """Put files that have the same names together, in order."""
    found: dict[tuple[str, ...], list[tuple[str, Mapping[str, Any]]]] = {}
    for path, values in files:
        found.setdefault(tuple(values), []).append((path, values))
    return list(found.values())


def _rows(
    group: Sequence[tuple[str, Mapping[str, Any]]], title: str, marks: Mapping[str, str]
) -> list[list[str]]:
    names = list(group[0][1])
    head = [title, *(path for path, _ in group)]
    return [
        head,
        *(
            [f"{name}{marks.get(name, '')}", *(number(values[name]) for _, values in group)]
            for name in names
        ),
    ]


def _width(rows: Sequence[Sequence[str]]) -> int:
    return sum(_widths(rows)) + len(GAP) * (len(rows[0]) - 1)


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]


def _print(rows: Sequence[Sequence[str]]) -> None:
    widths = _widths(rows)
    for index, row in enumerate(rows):
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        line = GAP.join(cells)
        terminal.write(terminal.styled(line, "bold") if index == 0 else line)


def _columns() -> int:
    """Return the width to fit: the terminal's; a pipe takes any."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000

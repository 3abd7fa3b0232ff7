"""Shows metrics or parameters of revisions: files side by side, or a table of revisions a file."""

import sys
from collections.abc import Mapping
from typing import Any

from mlxkit.cli import terminal
from mlxkit.cli.compare_diff import NOTHING, value, write_markdown
from mlxkit.cli.tables import show_files, show_rows
from mlxkit.cli.terminal import printable
from mlxkit.comparison.documents import short_name
from mlxkit.metrics.load import flatten

Revisions = Mapping[str, Mapping[str, Any]]
"""Values by revision and by file."""


def show_revisions(
    revisions: Revisions, title: str, marks: Mapping[str, str], precision: int
) -> None:
    """Print the values of one revision, files side by side, or of several, a row each."""
    if len(revisions) == 1:
        show_files(_flat(next(iter(revisions.values()))), title, marks, precision)
        return
    for path in dict.fromkeys(path for files in revisions.values() for path in files):
        values = {name: flatten(files[path]) for name, files in revisions.items() if path in files}
        names = list(dict.fromkeys(one for each in values.values() for one in each))
        rows = [["revision", *(f"{printable(one)}{marks.get(one, '')}" for one in names)]]
        for name, each in values.items():
            cells = [value(each.get(one), precision) for one in names]
            rows.append([printable(short_name(name)), *cells])
        terminal.write(terminal.styled(printable(path), "bold"))
        if sys.stdout.isatty() and _length(rows) > terminal.width(sys.stdout):
            rows = [list(column) for column in zip(*rows, strict=True)]
        show_rows(rows)
        terminal.write()


def show_table(revisions: Revisions, *, with_revision: bool, precision: int) -> None:
    """Print everything as one Markdown table, a column for each name, as DVC does."""
    found = [
        (revision, path, flatten(values))
        for revision, files in revisions.items()
        for path, values in files.items()
    ]
    names = sorted({name for _, _, values in found for name in values})
    rows = [["Revision", "Path", *names]]
    for revision, path, values in found:
        rows.append([revision or NOTHING, path, *(value(values.get(n), precision) for n in names)])
    write_markdown(rows if with_revision else [row[1:] for row in rows])


def _flat(files: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(path, flatten(values)) for path, values in files.items()]


def _length(rows: list[list[str]]) -> int:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return sum(widths) + 2 * (len(widths) - 1)

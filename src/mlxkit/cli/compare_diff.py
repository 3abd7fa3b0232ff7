"""Shows how metrics or parameters of two revisions differ: file by file, old → new."""

import math
import sys
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.cli import terminal
from mlxkit.cli.tables import aligned, number
from mlxkit.cli.terminal import printable, styled
from mlxkit.metrics.judgement import is_better
from mlxkit.metrics.preferences import Preference, preference_of

Changes = Mapping[str, Mapping[str, Mapping[str, Any]]]
NOTHING = "-"
ARROWS = {"higher": " ↑", "lower": " ↓", None: ""}
"""By which direction is the good one."""
_ENOUGH = 17
"""Digits that tell any two numbers apart."""
_LONG = 12
_SHOWN = 8
"""Of a file with more than `_LONG` changes so many may be shown."""


class Judged(NamedTuple):
    """What is known of a value that changed: whether it is better, the good direction, the unit."""

    better: bool | None = None
    arrow: str = ""
    unit: str = ""


class Row(NamedTuple):
    """One change in words."""

    name: str
    old: str
    new: str
    diff: str
    word: str


Judge = Callable[[str, Mapping[str, Any]], Judged]


class Brief(NamedTuple):
    """How to shorten long files: names of the changes in a file, the most important first."""

    order: Callable[[Mapping[str, Mapping[str, Any]]], Sequence[str]]
    to_see_all: str


def nothing_known(name: str, change: Mapping[str, Any]) -> Judged:
    """Judge nothing: parameters are not better or worse."""
    return Judged()


def judged_by(known: Mapping[str, Preference]) -> Judge:
    """Return a judge of metrics by what mlx.yaml and the metrics' names say is better."""

    def judge(name: str, change: Mapping[str, Any]) -> Judged:
        preference = preference_of(name, known)
        better = is_better(name, dict(change), known)
        return Judged(better, ARROWS[preference.better], preference.unit)

    return judge


def show_changes(
    changes: Changes,
    *,
    judge: Judge = nothing_known,
    unread: Container[str] = (),
    precision: int = 5,
    paths: bool = True,
    brief: Brief | None = None,
) -> None:
    """Print the changes of each file below its name; `unread` could not be read on one side.

    With `brief`, on a terminal, only the most important of those of a long file.
    """
    shortened = False
    for number_, (path, names) in enumerate(changes.items()):
        chosen = sorted(names)
        if brief is not None and len(names) > _LONG and sys.stdout.isatty():
            chosen = list(brief.order(names))[:_SHOWN]
        rows = _rows(names, chosen, judge, precision, unread=path in unread)
        if paths:
            if number_:
                terminal.write()
            terminal.write(styled(printable(path), "bold"))
        even = [_even(row, names[name]) for row, name in zip(rows, chosen, strict=True)]
        for line in _lines(even if precision else rows, indented=paths):
            terminal.write(line)
        if len(chosen) < len(names):
            terminal.write(styled(f"{'  ' if paths else ''}and {len(names) - _SHOWN} more", "dim"))
            shortened = True
    if brief is not None and shortened:
        terminal.note(f"to see all: {brief.to_see_all}")


def show_markdown(
    changes: Changes,
    title: str,
    revs: Sequence[str],
    *,
    judge: Judge | None = None,
    unread: Container[str] = (),
    precision: int = 5,
    paths: bool = True,
) -> None:
    """Print the changes as one Markdown table, in the columns of DVC's."""
    header = ["Path", title, *revs, *(["Change", "Verdict"] if judge else [])]
    rows = []
    for path, names in changes.items():
        for row in _rows(
            names, sorted(names), judge or nothing_known, precision, unread=path in unread
        ):
            verdict = [row.diff or NOTHING, row.word] if judge else []
            rows.append([path, row.name, row.old, row.new, *verdict])
    first = 0 if paths else 1
    write_markdown([one[first:] for one in (header, *rows)])


def write_markdown(rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table; the first row is its header."""
    cells = [[printable(cell).replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(cells[0]))]
    cells.insert(1, ["-" * width for width in widths])
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        terminal.write(f"| {' | '.join(padded)} |")


def _rows(
    names: Mapping[str, Mapping[str, Any]],
    chosen: Sequence[str],
    judge: Judge,
    precision: int,
    *,
    unread: bool,
) -> list[Row]:
    rows = [_row(name, names[name], judge, precision) for name in chosen]
    return [row._replace(word="not read") for row in rows] if unread else rows


def _row(name: str, change: Mapping[str, Any], judge: Judge, precision: int) -> Row:
    judged = judge(name, change)
    old, new, diff = change["old"], change["new"], change.get("diff")
    unit = f" {judged.unit}" if judged.unit else ""
    before, after = _apart(old, new, precision)
    return Row(
        (name or "(the whole file)") + judged.arrow,
        before + (unit if _is_number(old) else ""),
        after + (unit if _is_number(new) else ""),
        _signed(diff, precision) + unit if diff is not None else "",
        _word(old, new, diff, judged.better),
    )


def _even(row: Row, change: Mapping[str, Any]) -> Row:
    """Return a row whose fractions have as many decimals as each other; a small one needs two."""
    values = [change["old"], change["new"], change.get("diff")]
    diff = row.diff
    if isinstance(values[2], float) and abs(values[2]) < 1:
        diff = _signed(values[2], 2) + "".join(row.diff.partition(" ")[1:])
    old, new, diff = aligned([row.old, row.new, diff], values)
    return row._replace(old=old, new=new, diff=diff)


def _apart(old: Any, new: Any, precision: int) -> tuple[str, str]:
    """Return both values with as many digits as it takes to tell them apart."""
    for digits in range(precision, _ENOUGH) if precision else ():
        before, after = value(old, digits), value(new, digits)
        if before != after or old == new or _is_nan(old):
            return before, after
    return value(old, 0), value(new, 0)


def value(one: Any, precision: int) -> str:
    """Return a value for people, on one line."""
    return NOTHING if one is None else printable(number(one, precision))


def _signed(diff: float, precision: int) -> str:
    text = number(diff, precision)
    return text if diff < 0 or math.isnan(diff) else f"+{text}"


def _word(old: Any, new: Any, diff: float | None, better: bool | None) -> str:
    if better is not None:
        return "better" if better else "worse"
    if old is None:
        return "new"
    if new is None:
        return "gone"
    if diff is not None and math.isnan(diff):
        return "no number" if _is_nan(old) or _is_nan(new) else "same"
    return "same" if old == new else ""


def _is_number(one: Any) -> bool:
    return isinstance(one, (int, float)) and not isinstance(one, bool)


def _is_nan(one: Any) -> bool:
    return isinstance(one, float) and math.isnan(one)


_STYLES = {
    "better": "green",
    "worse": "red",
    "no number": "yellow",
    "not read": "yellow",
    "same": "dim",
}


def _lines(rows: Sequence[Row], *, indented: bool) -> Iterator[str]:
    """Return the rows as aligned lines; where they do not fit, values below their names."""
    margin = "  " if indented else ""
    arrow = "→" if terminal.takes("→", sys.stdout) else "->"
    widths = [max((_len(row[column]) for row in rows), default=0) for column in range(5)]
    length = len(margin) + sum(widths) + len(arrow) + 9
    narrow = sys.stdout.isatty() and length > terminal.width(sys.stdout)
    for row in rows:
        name = styled(row.word, _STYLES[row.word]) if row.word in _STYLES else row.word
        if narrow:
            yield margin + row.name
            yield f"{margin}  {row.old} {arrow} {row.new}   {row.diff}  {name}".rstrip()
            continue
        gap = [_gap(text, width) for text, width in zip(row, widths, strict=True)]
        yield (
            f"{margin}{row.name}{gap[0]}  {gap[1]}{row.old} {arrow} "
            f"{row.new}{gap[2]}   {gap[3]}{row.diff}  {name}"
        ).rstrip()


def _len(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _gap(text: str, width: int) -> str:
    return " " * (width - _len(text))

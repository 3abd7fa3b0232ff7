"""Shows a leaderboard as text or Markdown."""

import sys
from collections.abc import Iterable, Sequence

from mlxkit.cli import terminal
from mlxkit.cli.diff_blocks import github_table
from mlxkit.cli.tables import aligned, number
from mlxkit.cli.terminal import printable
from mlxkit.leaderboard.board import Board, Candidate, Left, Row

_SHOWN = 7
_PRECISION = 5
_NAMED = 2
"""So many names of one measurement are shown."""
_NAMES = 4
"""So many names of those that share a reason are listed, more with -v."""
_TITLES = ("rank", "candidate", "kind", "model", "commit")
_VALUE = 5
_SPARE = (4, 2, 3)
"""Columns that a narrow terminal does without, in this order."""


def show(board: Board, most: int | None, *, markdown: bool, verbose: bool) -> None:
    """Print the ranking, what is not in it, and how worn the test set is."""
    question = board.question
    head = f"{question.metric} ({question.better} is better) on {question.test}"
    terminal.write(_said(f"{head}, version {_short(question.digest)}", markdown))
    terminal.write()
    if board.rows:
        _show_table(board, most, markdown=markdown)
    else:
        terminal.write("nothing to rank: no candidate was measured on this version")
    more = len(board.rows) - len(board.rows[:most])
    if more:
        terminal.write(f"and {more} more")
    terminal.write()
    for line in (*_remarks(board, most), *_left(board.left, verbose=verbose)):
        terminal.write(_said(line, markdown, bullet=True))
    for line in board.notes:
        terminal.note(f"note: {printable(line)}")


def show_choice(row: Row, name: str) -> None:
    """Print that a choice is on record, and how to bring it into the working tree."""
    terminal.write(f"noted: {printable(name)} was chosen (rank {row.rank}); see: mlx audit")
    if row.entry.candidate.kind == "experiment":
        terminal.note(f"hint: mlx exp apply {printable(row.entry.candidate.name)}")


def _show_table(board: Board, most: int | None, *, markdown: bool) -> None:
    shown = board.rows[:most]
    rows = [_cells(one) for one in shown]
    values = aligned([row[_VALUE] for row in rows], [one.entry.score.value for one in shown])
    for row, value in zip(rows, values, strict=True):
        row[_VALUE] = value
    titles = [*_TITLES, board.question.metric, ""]
    if not any(row[-1] for row in rows):
        titles, rows = titles[:-1], [row[:-1] for row in rows]
    if markdown:
        escaped = [[_escaped(cell) for cell in row] for row in rows]
        terminal.write(github_table([_escaped(one) for one in titles], escaped))
        return
    for line in _fitted([[printable(one) for one in titles], *rows]):
        terminal.write(line)


def _cells(row: Row) -> list[str]:
    entry = row.entry
    names = list(dict.fromkeys(one.name for one in (entry.candidate, *row.also)))
    more = f" (+{len(names) - _NAMED})" if len(names) > _NAMED else ""
    marks = []
    if not row.told_apart:
        marks.append("not told apart from the best")
    if row.not_better_than:
        marks.append(f"does not beat {', '.join(row.not_better_than)}")
    return [
        str(row.rank),
        printable(", ".join(names[:_NAMED])) + more,
        entry.candidate.kind,
        printable(entry.model),
        entry.candidate.commit[:_SHOWN],
        number(entry.score.value, _PRECISION),
        printable("; ".join(marks)),
    ]


def _fitted(rows: list[list[str]]) -> Iterable[str]:
    """Lay out rows under their titles; on a narrow terminal some columns are left out."""
    wide = terminal.width(sys.stdout) if sys.stdout.isatty() else 10_000
    gone: set[int] = set()
    for spare in (*_SPARE, None):
        kept = [[cell for at, cell in enumerate(row) if at not in gone] for row in rows]
        widths = [max(len(row[at]) for row in kept) for at in range(len(kept[0]))]
        if spare is None or sum(widths) + 2 * len(widths) - 2 <= wide:
            break
        gone.add(spare)
    right = {0, *(at for at, title in enumerate(kept[0]) if title == rows[0][_VALUE])}
    for index, row in enumerate(kept):
        cells = [
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        line = "  ".join(cells).rstrip()
        yield terminal.styled(line, "bold") if index == 0 else line


def _remarks(board: Board, most: int | None) -> Iterable[str]:
    wear, question = board.wear, board.question
    choices = f", {terminal.counted(wear.choices, 'choice')} on record" if wear.choices else ""
    models = terminal.counted(wear.uses, "model")
    yield f"{models} measured on this version so far, limit {board.limit}{choices}"
    if board.worn:
        yield (
            "WORN OUT: choose by a validation set, and measure the one chosen on a test set that"
            " nobody has looked at yet"
        )
    if board.bias is not None and board.bias > 0:
        told = number(board.bias, 2)
        yield f"the best of {wear.uses} looks better than it is, by up to {told} on average"
    elif board.bias is None and board.rows and wear.uses > 1:
        yield (
            f"how much luck lifts the best of {wear.uses} is not known: no {question.metric}_se"
            " (standard error) is measured"
        )
    yield from _unbeaten(board)


def _unbeaten(board: Board) -> Iterable[str]:
    """Say plainly which baselines nobody beats."""
    ranked = [one for one in board.rows if one.entry.candidate.kind != "baseline"]
    for row in board.rows:
        name = row.entry.candidate.name
        if (
            row.entry.candidate.kind == "baseline"
            and ranked
            and all(name in one.not_better_than for one in ranked)
        ):
            yield f"no candidate beats the baseline {printable(name)}"


def _left(left: Sequence[Left], *, verbose: bool) -> Iterable[str]:
    """Tell what is not comparable, all that share a reason together."""
    groups: dict[str, list[Candidate]] = {}
    for one in left:
        version = f", {_short(one.digest)}" if one.digest and "version" in one.reason else ""
        groups.setdefault(one.reason + version, []).append(one.candidate)
    for reason, several in groups.items():
        names = list(dict.fromkeys(one.name for one in several))
        shown = names if verbose else names[:_NAMES]
        more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
        yield f"not comparable: {printable(', '.join(shown))}{more}: {printable(reason)}"


def _short(digest: str) -> str:
    return digest[:_SHOWN]


def _said(text: str, markdown: bool, *, bullet: bool = False) -> str:
    text = printable(text)
    return f"{'- ' if bullet else ''}{_escaped(text)}" if markdown else text


def _escaped(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return "".join(f"\\{one}" if one in "\\`*_{}[]<>#|~@" else one for one in text)

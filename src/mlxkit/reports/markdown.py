"""Draws a report as Markdown for a comment on a pull request, within GitHub's limit."""

from collections.abc import Sequence

from mlxkit.reports.changes import Report
from mlxkit.reports.escape import code, line, summary, text
from mlxkit.reports.fit import LIMIT, Piece, fit
from mlxkit.reports.outline import Block, Cell, Code, Diagram, Lines, Strong, pieces
from mlxkit.reports.sections.all import sections
from mlxkit.reports.sections.sides import command, sides

_MARKS = {"passed": "✅", "failed": "❌", "unjudged": "⚠️", "none": "⚪"}
_LONG = 600
"""A reason may be longer than a name."""


def render(report: Report, limit: int = LIMIT) -> str:
    """Return the report; no text in it is longer than `limit`, and nothing in it is markup."""
    parts = [
        _piece(section.title, block) for section in sections(report) for block in section.blocks
    ]
    found = fit(_first(report), parts, limit)
    return found.text + _last(report, found.cut)


def _first(report: Report) -> str:
    told = report.headline
    change = f" — {text(told.change, _LONG)}" if told.change else ""
    verdict = f"## {_MARKS[told.word]} {text(told.verdict, _LONG)}{change}"
    return "\n\n".join([verdict, *map(_cell, sides(report))]) + "\n"


def _last(report: Report, cut: Sequence[str]) -> str:
    told = f"Cut to fit a comment: {text(', '.join(cut), 1000)}. " if cut else ""
    return f"\n---\n<sub>{told}In full, with plots: {code(command(report))}</sub>\n"


def _piece(title: str, block: Block) -> Piece:
    heading = f"\n### {text(title)}\n"
    if isinstance(block, Diagram):
        body = f"```mermaid\n{block.text.rstrip()}\n```\n"
        head, tail = _folded(block.summary)
        return Piece(heading, block.importance, head, [body], tail, block.summary)
    head, tail = _folded(block.summary)
    what = block.summary or title.lower()
    if isinstance(block, Lines):
        start = "- " if block.bullets else ""
        end = "\n" if block.bullets else "\n\n"
        rows = [f"{start}{line(_cell(one))}{end}" for one in block.lines]
        return Piece(heading, block.importance, head, rows, tail, what)
    rules = ("---:" if at in block.right else "---" for at in range(len(block.header)))
    top = f"| {' | '.join(map(text, block.header))} |\n| {' | '.join(rules)} |\n"
    rows = [f"| {' | '.join(map(_cell, row))} |\n" for row in block.rows]
    return Piece(heading, block.importance, head + top, rows, tail, what)


def _folded(told: str) -> tuple[str, str]:
    if not told:
        return "\n", ""
    return f"\n<details><summary>{summary(told)}</summary>\n\n", "\n</details>\n"


def _cell(cell: Cell) -> str:
    return "".join(map(_inline, pieces(cell)))


def _inline(one: str) -> str:
    if isinstance(one, Code):
        return code(one)
    if isinstance(one, Strong):
        return f"<b>{text(one, _LONG)}</b>"
    return text(one, _LONG)

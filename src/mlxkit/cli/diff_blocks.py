"""Tables with headings, shown as text, as Markdown, or as one HTML page that needs nothing else."""

import html
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from mlxkit.cli import terminal

GAP = "  "
printable = terminal.printable


class Block(NamedTuple):
    """A heading, lines of text below it, and a table; `right` are columns of numbers."""

    title: str
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    lines: Sequence[str] = ()
    right: frozenset[int] = frozenset()


def as_text(blocks: Sequence[Block]) -> str:
    """Return the blocks for a terminal."""
    parts = []
    for block in blocks:
        lines = [terminal.styled(printable(block.title), "bold")] if block.title else []
        lines += [printable(line) for line in block.lines]
        lines += _aligned(block)
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def as_markdown(blocks: Sequence[Block]) -> str:
    """Return the blocks as GitHub reads them."""
    parts = []
    for block in blocks:
        lines = [f"### {_marked(block.title)}"] if block.title else []
        lines += ["", *(f"- {_marked(line)}" for line in block.lines)] if block.lines else []
        if block.rows:
            rules = ["---:" if at in block.right else "---" for at in range(len(block.header))]
            rows = [[_marked(cell) for cell in row] for row in (block.header, *block.rows)]
            rows.insert(1, rules)
            lines += ["", *(f"| {' | '.join(row)} |" for row in rows)]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def as_html(title: str, blocks: Sequence[Block]) -> str:
    """Return one page; every text in it is escaped."""
    body = "\n".join(_section(block) for block in blocks)
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    head += '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n'
        f"<body><h1>{_arrow(html.escape(title))}</h1>\n{body}\n</body></html>\n"
    )


def github_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with exactly the bytes of DVC's `--md`."""
    cells = [[cell.strip() for cell in row] for row in rows]
    widths = [
        max([cell_len(name) + 2, *(cell_len(row[at]) for row in cells)])
        for at, name in enumerate(header)
    ]
    lines = [_padded(header, widths), "|".join(["", *("-" * (one + 2) for one in widths), ""])]
    return "\n".join([*lines, *(_padded(row, widths) for row in cells)]) + "\n"


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
    return f"| {' | '.join(cells)} |"


def _aligned(block: Block) -> list[str]:
    if not block.rows:
        return []
    rows = [[printable(cell) for cell in row] for row in (block.header, *block.rows)]
    widths = [max(cell_len(row[at]) for row in rows) for at in range(len(block.header))]
    lines = []
    for row in rows:
        cells = []
        for at, cell in enumerate(row):
            space = " " * (widths[at] - cell_len(cell))
            cells.append(space + cell if at in block.right else cell + space)
        lines.append(GAP.join(cells).rstrip())
    return [terminal.styled(lines[0], "dim"), *lines[1:]]


def _marked(text: str) -> str:
    """Escape what Markdown or HTML would make something of."""
    text = printable(text).replace("&", "&amp;").replace("<", "&lt;")
    for sign in "\\|`*_[]":
        text = text.replace(sign, f"\\{sign}")
    return text


def _section(block: Block) -> str:
    parts = [f"<h2>{html.escape(block.title)}</h2>"] if block.title else []
    if block.lines:
        items = "".join(f"<li>{html.escape(line)}</li>" for line in block.lines)
        parts.append(f"<ul>{items}</ul>")
    if block.rows:
        rows = "\n".join(_row("td", row, block.right) for row in block.rows)
        head = _row("th", block.header, block.right)
        parts.append(
            f'<div class="wide"><table><thead>{head}</thead><tbody>\n{rows}\n</tbody></table></div>'
        )
    return f"<section>{''.join(parts)}</section>"


def _row(tag: str, cells: Sequence[str], right: frozenset[int]) -> str:
    shown = []
    for at, cell in enumerate(cells):
        kind = ' class="n"' if at in right else ""
        shown.append(f"<{tag}{kind}>{_arrow(html.escape(cell))}</{tag}>")
    return f"<tr>{''.join(shown)}</tr>"


def _arrow(escaped: str) -> str:
    """Set off what became of a value."""
    return escaped.replace(" -&gt; ", ' <span class="a">→</span> ')


_STYLE = """
:root{color-scheme:light dark;--line:#d9dde3;--soft:#f5f7f9;--dim:#667;--mark:#b4560b}
@media(prefers-color-scheme:dark){:root{--line:#3a3f47;--soft:#22262c;--dim:#9aa;--mark:#f0a35e}}
body{font:15px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.35rem}h2{font-size:1.05rem;margin:1.8rem 0 .5rem}
ul{margin:.3rem 0;padding-left:1.2rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}
th,td{padding:.3rem .7rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top;
white-space:pre-wrap;overflow-wrap:anywhere;min-width:4rem}
th{color:var(--dim);font-weight:600;white-space:nowrap}.n{text-align:right}
tbody tr:nth-child(even){background:var(--soft)}.a{color:var(--mark);font-weight:700}
"""

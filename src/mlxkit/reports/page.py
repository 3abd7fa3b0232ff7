"""Draws a report as one page with the plots of both revisions, that needs nothing but itself."""

import os
from collections.abc import Sequence
from html import escape

from mlxkit.core.errors import MlxError
from mlxkit.lineage.formats.html import picture
from mlxkit.pipeline.session import Session
from mlxkit.plots.drawn import Prepared
from mlxkit.plots.page import Page, render, script
from mlxkit.reports.changes import End, Lineage, Report
from mlxkit.reports.escape import visible
from mlxkit.reports.outline import (
    Block,
    Cell,
    Code,
    Diagram,
    Lines,
    Section,
    Strong,
    Table,
    pieces,
)
from mlxkit.reports.sections.all import sections
from mlxkit.reports.sections.sides import sides

_HERE = os.path.dirname(__file__)
_NOTHING = Prepared([], [], [])
# Not every system has a font for what GitHub shows as pictures.
_MARKS = {
    "✅": ("good", "✓"),
    "🟢": ("good", "▲"),
    "❌": ("bad", "✗"),
    "🔴": ("bad", "▼"),
    "❔": ("unsure", "?"),
    "⚠️": ("unsure", "!"),
    "➖": ("", "–"),
}


def page(session: Session, report: Report) -> str:
    """Return the page; plots that cannot be drawn are named in it."""
    names, ready, notes = _plots(session, report)
    bundle = script(os.path.join(session.root, ".mlx", "cache")) if ready.charts else ""
    title = f"{report.project}: {report.head.name}"
    if report.base is not None:
        title += f" against {report.base.name}"
    with open(os.path.join(_HERE, "page.css"), encoding="utf-8") as file:
        style = file.read()
    above = f'<div class="report">\n{_top(report)}{_sections(report)}</div>\n'
    if ready.charts or ready.images:
        above += "<h2>Plots</h2>\n"
    above += "".join(f'<p class="note">{_text(one)}</p>\n' for one in notes)
    return render(Page(visible(title), names, ready.charts, ready.images, [], above, style), bundle)


def _plots(session: Session, report: Report) -> tuple[list[str], Prepared, list[str]]:
    """Return the revisions' names, their plots, and what could not be drawn."""
    from mlxkit.plots.collect import Wanted, collect, templates_folder
    from mlxkit.plots.drawn import make_ready
    from mlxkit.plots.revisions import sources
    from mlxkit.plots.source import Source
    from mlxkit.tools import dvc_plots

    ends = [one for one in (report.base, report.head) if one is not None]
    try:
        known = sources(session, [one.commit for one in ends if one.commit is not None])
        named: dict[str, Source] = {}
        for one in ends:
            named.setdefault(_name(one), known[one.commit or "workspace"])
        collected = collect(named, Wanted(twins=False), session.root)
        found = dvc_plots.draw(collected.revisions, templates_folder(session.root))
    except MlxError as error:
        return [_name(one) for one in ends], _NOTHING, [f"plots could not be drawn: {error}"]
    ready = make_ready(found, list(collected.revisions))
    notes = [f"{rev}: {error}" for rev, error in collected.failed.items()]
    notes += [f"not drawn: {name}: {error}" for name, error in collected.refused.items()]
    notes += [f"not drawn: {why}" for why in ready.empty]
    return list(collected.revisions), ready, notes


def _name(one: End) -> str:
    return one.name if one.commit is None else visible(f"{one.name} ({one.commit[:7]})")


def _top(report: Report) -> str:
    line = report.headline
    change = f": {_text(line.change)}" if line.change else ""
    told = "".join(f"<p>{_cell(one)}</p>\n" for one in sides(report))
    return f'<p class="verdict {line.word}"><b>{_text(line.verdict)}</b>{change}</p>\n{told}'


def _sections(report: Report) -> str:
    return "".join(_section(one, report.lineage) for one in sections(report))


def _section(section: Section, lineage: Lineage | None) -> str:
    blocks = "".join(_folded(one, lineage) for one in section.blocks)
    return f"<section>\n<h2>{_text(section.title)}</h2>\n{blocks}</section>\n"


def _folded(block: Block, lineage: Lineage | None) -> str:
    if isinstance(block, Lines):
        body = _lines(block)
    elif isinstance(block, Table):
        body = _table(block)
    else:
        assert lineage is not None  # or there would be no diagram of it
        body = f'<div class="graph">{picture(lineage.answer)}</div>\n'
    if not block.summary:
        return body
    opened = " open" if isinstance(block, Diagram) else ""
    return f"<details{opened}><summary>{_text(block.summary)}</summary>\n{body}</details>\n"


def _lines(block: Lines) -> str:
    if block.bullets:
        return f"<ul>{''.join(f'<li>{_cell(one)}</li>' for one in block.lines)}</ul>\n"
    return "".join(f"<p>{_cell(one)}</p>\n" for one in block.lines)


def _table(block: Table) -> str:
    head = _row("th", block.header, block.right)
    rows = "\n".join(_row("td", row, block.right) for row in block.rows)
    table = f"<table><thead>{head}</thead>\n<tbody>\n{rows}\n</tbody></table>"
    return f'<div class="table">{table}</div>\n'


def _row(tag: str, cells: Sequence[Cell], right: frozenset[int]) -> str:
    kinds = [' class="n"' if at in right else "" for at in range(len(cells))]
    shown = "".join(
        f"<{tag}{kind}>{_cell(cell)}</{tag}>" for kind, cell in zip(kinds, cells, strict=True)
    )
    return f"<tr>{shown}</tr>"


def _cell(cell: Cell) -> str:
    return "".join(map(_inline, pieces(cell)))


def _inline(one: str) -> str:
    if isinstance(one, Code):
        return f"<code>{_text(one)}</code>"
    if isinstance(one, Strong):
        return f"<b>{_text(one)}</b>"
    for mark, (kind, sign) in _MARKS.items():
        before, found, after = one.partition(mark)
        if found and before in ("", ": "):
            return f'{before}<span class="{kind}">{sign}{_text(after)}</span>'
    return _text(one)


def _text(raw: str) -> str:
    return escape(visible(raw))

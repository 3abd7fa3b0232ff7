"""An answer as one HTML page: a graph to look around in, which asks the network for nothing."""

import base64
import hashlib
import html
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from mlxkit.lineage.answer import Answer, Edge, Node
from mlxkit.lineage.formats.layout import Box, Layout, Point, find_levels, lay_out
from mlxkit.lineage.formats.words import command, edges_of, lines_of, nodes_of, one_line, short

BOX = Box()
_MARGIN = 30
_LETTERS = (25, 32)
"""So many of the letters of a node's two lines have room."""
_SIDES = {"upstream": -1, "artifact": 0, "downstream": 1}

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; \
form-action 'none'; style-src '{style_hash}'; script-src '{script_hash}'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{heading}</h1>
<p>{summary}</p>
<search role="search">
<label for="find">Find</label>
<input id="find" type="search" autocomplete="off" placeholder="path, stage, digest, commit">
<output id="found" for="find" aria-live="polite"></output>
</search>
<div class="tools" role="toolbar" aria-label="View">
<button id="out" title="Zoom out (-)" aria-label="Zoom out">&minus;</button>
<button id="in" title="Zoom in (+)" aria-label="Zoom in">+</button>
<button id="fit" title="Show everything (0)">All</button>
</div>
</header>
<main>
{drawing}
<aside id="details" aria-label="Details" aria-live="polite" tabindex="-1"></aside>
</main>
{notes}
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def render(answer: Answer) -> str:
    """Return the page, complete in itself."""
    nodes, edges, ends, layout = _placed(answer)
    style, script = _asset("page.css"), _asset("page.js")
    path = one_line(answer.artifact.path) or short(answer.artifact.md5)
    return _PAGE.format(
        title=html.escape(f"Lineage of {path}"),
        heading=html.escape(path),
        summary=html.escape(_summary(nodes)),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        drawing=_drawing(nodes, edges, ends, layout),
        notes=_notes(answer.notes),
        data=_data(nodes, ends),
    )


def picture(answer: Answer) -> str:
    """Return the graph alone, as SVG; the page's own style is not in it."""
    return _drawing(*_placed(answer))


def _placed(
    answer: Answer,
) -> tuple[Sequence[Node], Sequence[Edge], Sequence[tuple[int, int]], Layout]:
    nodes, _ = nodes_of(answer)
    edges = edges_of(answer, nodes)
    numbers = {node.md5: number for number, node in enumerate(nodes)}
    ends = [(numbers[edge.source], numbers[edge.target]) for edge in edges]
    levels = find_levels([_SIDES.get(node.side, 0) for node in nodes], ends)
    return nodes, edges, ends, lay_out(levels, ends, BOX)


def _asset(name: str) -> str:
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()


def _hash(text: str) -> str:
    """Return what allows a browser to use this text, and no other, as style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _summary(nodes: Sequence[Node]) -> str:
    ups = sum(node.side == "upstream" for node in nodes)
    downs = sum(node.side == "downstream" for node in nodes)
    return f"{nodes[0].md5} · made of {ups:,} · went into {downs:,}"


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    items = "".join(f"<li>{html.escape(one_line(note))}</li>" for note in notes)
    return f"<footer><ul>{items}</ul></footer>"


def _drawing(
    nodes: Sequence[Node], edges: Sequence[Edge], ends: Sequence[tuple[int, int]], layout: Layout
) -> str:
    """Return the graph as SVG, which is there to see without the script, too."""
    size = f"{-_MARGIN} {-_MARGIN} {layout.width + 2 * _MARGIN:g} {layout.height + 2 * _MARGIN:g}"
    parts = [
        f'<svg id="graph" viewBox="{size}" tabindex="0" role="group" '
        f'aria-label="Graph of {len(nodes)} artifacts; arrow keys move from one to the next">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z"/></marker></defs>',
        "<g>",
    ]
    for edge, (source, target) in zip(edges, ends, strict=True):
        line = _curve(layout.routes[source, target])
        part = " part" if edge.kind == "part" else ""
        parts.append(f'<path class="edge{part}" id="e{source}-{target}" d="{line}"/>')
    parts.append("</g><g>")
    parts += [_box(number, node, layout.corners[number]) for number, node in enumerate(nodes)]
    return "\n".join([*parts, "</g></svg>"])


def _curve(points: Sequence[Point]) -> str:
    x, y = points[0]
    line = f"M{x:.0f} {y:.0f}"
    for next_x, next_y in points[1:]:
        bend = max(abs(next_x - x) / 2, 40 if next_x < x else 0)
        line += (
            f"C{x + bend:.0f} {y:.0f} {next_x - bend:.0f} {next_y:.0f} {next_x:.0f} {next_y:.0f}"
        )
        x, y = next_x, next_y
    return line


def _box(number: int, node: Node, corner: Point) -> str:
    first, second = lines_of(node)
    shown = [
        html.escape(_shortened(text, room))
        for text, room in zip((first, second), _LETTERS, strict=True)
    ]
    kind = node.kind if node.kind in ("data", "file") else "output"
    side = node.side if node.side in _SIDES else "artifact"
    name = html.escape(f"{first}, {second}")
    return (
        f'<g class="node {kind} {side}" id="n{number}" tabindex="{-1 if number else 0}" '
        f'role="button" aria-label="{name}" transform="translate({corner[0]:.0f} {corner[1]:.0f})">'
        f"<title>{name}</title>"
        f'<rect width="{BOX.width:g}" height="{BOX.height:g}" rx="8"/>'
        f'<text x="12" y="20">{shown[0]}</text><text class="by" x="12" y="37">{shown[1]}</text></g>'
    )


def _shortened(text: str, room: int) -> str:
    """Cut the beginning of what is too long: the end of a path tells more."""
    return text if len(text) <= room else "…" + text[1 - room :]


def _data(nodes: Sequence[Node], ends: Sequence[tuple[int, int]]) -> str:
    """Return what the script knows of nodes and arrows; no `<`, so that nothing ends it early."""
    document = {"nodes": [_details(node) for node in nodes], "edges": ends}
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"), default=str)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _details(node: Node) -> dict[str, Any]:
    found = {
        "path": node.path,
        "paths": [path for path in node.paths if path != node.path],
        "md5": node.md5,
        "size": node.size,
        "kind": node.kind,
        "side": node.side,
        "stage": node.stage,
        "cmd": command(node.cmd),
        "commit": node.commit,
        "date": node.date,
        "subject": node.subject,
        "params": _flat(node.params),
        "metrics": _flat(node.metrics),
        "run": _flat({"": _run(node.run)}) if node.run else None,
        "productions": node.productions if node.productions > 1 else None,
    }
    return {key: value for key, value in found.items() if value}


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("id", "outcome", "started", "seconds", "commit", "dirty", "env", "user", "host", "cost")
    return {key: run[key] for key in kept if run.get(key) is not None}


def _flat(values: Mapping[str, Any], above: str = "") -> list[list[str]]:
    """Return names and values for people: `train.lr`, of which file."""
    found: list[list[str]] = []
    for name, value in values.items():
        full = f"{above}.{name}" if above else str(name)
        if isinstance(value, Mapping) and value:
            found += _flat(value, full) if above else _flat_file(str(name), value)
        else:
            found.append(
                [full, value if isinstance(value, str) else json.dumps(value, default=str)]
            )
    return found


def _flat_file(file: str, values: Mapping[str, Any]) -> list[list[str]]:
    found = _flat(values, " ")
    return [[f"{file}: {name[2:]}" if file else name[2:], value] for name, value in found]

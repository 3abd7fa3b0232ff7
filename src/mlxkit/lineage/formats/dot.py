"""An answer as a graph for Graphviz."""

from mlxkit.lineage.answer import Answer, Node
from mlxkit.lineage.formats.words import edges_of, lines_of, nodes_of, one_line

_SHAPES = {"data": "cylinder", "file": "note"}


def render(answer: Answer) -> str:
    """Return the graph's text, for `dot -Tsvg`."""
    nodes, _ = nodes_of(answer)
    names = {node.md5: f"n{number}" for number, node in enumerate(nodes)}
    lines = [
        "digraph lineage {",
        "  rankdir=LR;",
        '  node [shape=box, style=rounded, fontname="Helvetica", fontsize=10];',
        "  edge [arrowsize=0.7];",
    ]
    if answer.notes:
        text = "\\l".join(_escaped(note) for note in answer.notes)
        lines.append(f'  label="{text}\\l"; labelloc=b; labeljust=l;')
    lines += [f"  {names[node.md5]} [{_attributes(node)}];" for node in nodes]
    for edge in edges_of(answer, nodes):
        style = " [style=dashed, dir=none]" if edge.kind == "part" else ""
        lines.append(f"  {names[edge.source]} -> {names[edge.target]}{style};")
    return "\n".join([*lines, "}"]) + "\n"


def _attributes(node: Node) -> str:
    label = "\\n".join(_escaped(line) for line in lines_of(node))
    tip = "\\n".join(_escaped(text) for text in (node.path, node.md5, node.commit or "") if text)
    found = [f'label="{label}"', f'tooltip="{tip}"']
    if node.kind in _SHAPES:
        found.append(f'shape={_SHAPES[node.kind]}, style=""')
    if node.side == "artifact":
        found.append("penwidth=3")
    return ", ".join(found)


def _escaped(text: str) -> str:
    r"""Return text that Graphviz shows as it is: it knows `\N`, `\l` and `&lt;` in strings."""
    text = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return text.replace("&", "&amp;").encode("utf-8", "replace").decode("utf-8")

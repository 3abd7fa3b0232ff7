"""An answer as a Mermaid diagram, as GitHub shows it in Markdown."""

from mlxkit.lineage.answer import Answer, Node
from mlxkit.lineage.formats.words import edges_of, lines_of, nodes_of, one_line

MOST_NODES = 150
MOST_EDGES = 450
"""GitHub's Mermaid draws no more than 500 edges, and no text beyond 50,000 characters."""
_LONGEST = 60
_SAFE = frozenset(" ._-/:=,+@~()·")
_STYLES = (
    "classDef artifact stroke-width:3px",
    "classDef data stroke-dasharray:5 3",
    "classDef file stroke-dasharray:2 2",
)


def render(answer: Answer) -> str:
    """Return the diagram's text, without the fence around it."""
    nodes, more = nodes_of(answer, MOST_NODES)
    edges = edges_of(answer, nodes)
    lines = ["flowchart LR"]
    lines += [f"  %% {_comment(note)}" for note in answer.notes]
    names = {node.md5: f"n{number}" for number, node in enumerate(nodes)}
    for node in nodes:
        text = "<br/>".join(_escaped(_shortened(one)) for one in lines_of(node))
        lines.append(f'  {names[node.md5]}["{text}"]{_class(node)}')
    for edge in edges[:MOST_EDGES]:
        arrow = "-.-" if edge.kind == "part" else "-->"
        lines.append(f"  {names[edge.source]} {arrow} {names[edge.target]}")
    if len(edges) > MOST_EDGES:
        more = "; ".join(filter(None, (more, f"{len(edges) - MOST_EDGES} arrows are left out")))
    if more:
        lines.append(f'  more["{_escaped(more)}"]')
    lines += [f"  {style}" for style in _STYLES]
    return "\n".join(lines) + "\n"


def _class(node: Node) -> str:
    if node.side == "artifact":
        return ":::artifact"
    return f":::{node.kind}" if node.kind in ("data", "file") else ""


def _shortened(text: str) -> str:
    """Cut the beginning of a long path: its end tells more."""
    return text if len(text) <= _LONGEST else "…" + text[1 - _LONGEST :]


def _escaped(text: str) -> str:
    """Write all that is no letter, digit or harmless sign as Mermaid's code for it."""
    return "".join(char if char.isalnum() or char in _SAFE else f"#{ord(char)};" for char in text)


def _comment(text: str) -> str:
    """Return a comment's text; no brace: Mermaid reads `%%{` as settings."""
    return one_line(text).replace("{", "(").replace("}", ")")

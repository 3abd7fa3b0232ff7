"""What all drawings say of a node, in few words."""

from collections.abc import Sequence

from mlxkit.lineage.answer import Answer, Edge, Node


def nodes_of(answer: Answer, limit: int = 0) -> tuple[Sequence[Node], str]:
    """Return the nodes to draw, nearest first, and what to say of those left out."""
    nodes = answer.nodes or (answer.artifact,)
    if not limit or len(nodes) <= limit:
        return nodes, ""
    nearest = [nodes[0], *sorted(nodes[1:], key=lambda node: node.depth)]
    return nearest[:limit], f"{len(nodes) - limit} more, further away, are left out"


def edges_of(answer: Answer, nodes: Sequence[Node]) -> list[Edge]:
    """Return the edges between these nodes, each once."""
    known = {node.md5 for node in nodes}
    ends = {
        (edge.source, edge.target): edge
        for edge in answer.edges
        if edge.source in known and edge.target in known and edge.source != edge.target
    }
    return list(ends.values())


def lines_of(node: Node) -> list[str]:
    """Return a node's text: its path, and what made it with its digest."""
    made = {"data": "data", "file": "file"}.get(node.kind) or node.stage or "output"
    return [one_line(node.path) or "?", f"{one_line(made)} · {short(node.md5)}"]


def short(md5: str) -> str:
    """Return the beginning of a digest, which people tell digests apart by."""
    return md5[:8] + (".dir" if md5.endswith(".dir") else "")


def one_line(text: str) -> str:
    """Return text without what could end a line, or move a cursor."""
    return "".join(char if char.isprintable() else "�" for char in text)


def command(cmd: str | list[str] | None) -> str:
    """Return a stage's command as a script."""
    return "\n".join(cmd) if isinstance(cmd, list) else cmd or ""

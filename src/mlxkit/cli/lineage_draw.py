"""The graph of an answer as a tree of lines: each artifact once, files of Git's in one line."""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.cli import terminal
from mlxkit.cli.terminal import printable, styled
from mlxkit.lineage.answer import Answer, Node
from mlxkit.metrics.load import flatten

SHOWN = 7
"""Digits of a commit or digest."""
_LINES = 40  # of a tree, unless everything is asked for
_FILES = 3  # of Git's, named in one line
_LONG = 40  # characters of a list of values


def value_text(value: Any) -> str:
    """Return a parameter's or metric's value for people."""
    if isinstance(value, list):
        return f"[{len(value)} values]" if len(str(value)) > _LONG else str(value)
    told = f"{value:g}" if isinstance(value, float) else str(value)
    return "none" if value is None else printable(told)


class Tree:
    """Draws the graph as a tree: each artifact once, files of Git's in one line."""

    def __init__(self, answer: Answer, everything: bool) -> None:
        """Draw at most some lines, unless `everything` is wanted."""
        self._nodes = {node.md5: node for node in answer.nodes}
        self._root = answer.artifact.md5
        self._edges = answer.edges
        self._left = sys.maxsize if everything else _LINES

    def show(self, side: str) -> None:
        """Print the tree of one side."""
        near: dict[str, list[Node]] = {}
        for edge in self._edges:
            here, there = edge.target, edge.source
            if side == "downstream":
                here, there = there, here
            if self._nodes.get(there) is not None:
                near.setdefault(here, []).append(self._nodes[there])
        shown = {self._root}
        stack = _below(near.get(self._root, []), near, "")
        left, hidden = self._left, 0
        while stack:
            row = stack.pop()
            again = row.node is not None and row.node.md5 in shown
            if left > 0:
                text = row.text if row.node is None else _line(row.node, again)
                terminal.write(_clipped(styled(row.indent + row.fork, "dim") + text))
            else:
                hidden += 1
            left -= 1
            if row.node is not None and not again:
                shown.add(row.node.md5)
                indent = row.indent + ("   " if row.fork[0] == "└" else "│  ")
                stack += _below(near.get(row.node.md5, []), near, indent)
        if hidden:
            terminal.write(styled(f"... {hidden} more lines: -v", "dim"))
        terminal.write()


class _Row(NamedTuple):
    """A line of a tree: a node, or a text that nothing is below."""

    indent: str
    fork: str
    node: Node | None
    text: str = ""


def _below(found: Sequence[Node], near: Mapping[str, list[Node]], indent: str) -> list[_Row]:
    """Return the rows below a node, the last one first."""
    leaves = {node.md5 for node in found if node.kind == "file" and node.md5 not in near}
    files = [node for node in found if node.md5 in leaves]
    rest = {node.md5: node for node in found if node.md5 not in leaves}
    rows = [_Row(indent, "├─ ", node) for node in sorted(rest.values(), key=lambda n: n.path)]
    if files:
        rows.append(_Row(indent, "├─ ", None, styled(_file_line(files), "dim")))
    if rows:
        rows[-1] = rows[-1]._replace(fork="└─ ")
    return rows[::-1]


def _line(node: Node, again: bool) -> str:
    name = node.path or node.md5[:SHOWN]
    told = [printable(name), styled(printable(node.md5[:SHOWN]), "dim")]
    if node.kind == "data":
        told.append("data")
    elif node.stage:
        told.append(printable(node.stage))
    if node.commit:
        told.append(styled(node.commit[:SHOWN], "yellow"))
    elif node.stage:
        told.append(styled("not committed", "yellow"))
    if again:
        return "  ".join(told) + styled("  (above)", "dim")
    values = [
        f"{printable(key)} {value_text(value)}"
        for values in node.metrics.values()
        for key, value in flatten(values).items()
    ]
    if values:
        told.append(styled(", ".join(values[:2]), "green"))
    return "  ".join(told)


def _file_line(files: list[Node]) -> str:
    names = sorted(node.path for node in files)
    more = f", {len(names) - _FILES} more" if len(names) > _FILES else ""
    return "with " + printable(", ".join(names[:_FILES])) + more


def _clipped(line: str) -> str:
    """Cut a line to the terminal's width; codes for colour take no room."""
    if not sys.stdout.isatty():
        return line
    room, out, at = terminal.width(sys.stdout), [], 0
    while at < len(line):
        if line[at] == "\033":
            end = line.index("m", at) + 1
            out.append(line[at:end])
            at = end
            continue
        if room <= 1 and _visible(line[at:]) > 1:
            return "".join(out) + "…" + ("\033[0m" if "\033" in line else "")
        out.append(line[at])
        room -= 1
        at += 1
    return "".join(out)


def _visible(text: str) -> int:
    return len(re.sub(r"\033\[[0-9;]*m", "", text))

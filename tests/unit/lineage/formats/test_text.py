"""Mermaid and Graphviz: what is drawn, and that no text gets out of its quotes."""

import re
import shutil
import subprocess

import pytest

from mlxkit.lineage.answer import Answer, Edge, Node
from mlxkit.lineage.formats.dot import render as as_dot
from mlxkit.lineage.formats.mermaid import MOST_EDGES, MOST_NODES
from mlxkit.lineage.formats.mermaid import render as as_mermaid

from .answers import HOSTILE, chain, hostile, name

SMALL = Answer(
    Node(name(1), "model.bin", stage="train"),
    (),
    (
        Node(name(1), "model.bin", stage="train"),
        Node(name(2), "data", kind="data", side="upstream", depth=1),
        Node(name(3), "train.py", kind="file", side="upstream", depth=1),
        Node("4" * 32 + ".dir", "out", side="downstream", depth=1, stage="sub/dvc.yaml:use"),
    ),
    (
        Edge(name(2), name(1)),
        Edge(name(3), name(1)),
        Edge(name(1), "4" * 32 + ".dir", "part"),
        Edge(name(9), name(1)),
    ),
    ("a note",),
)


def test_mermaid() -> None:
    assert (
        as_mermaid(SMALL)
        == """\
flowchart LR
  %% a note
  n0["model.bin<br/>train · 00000000"]:::artifact
  n1["data<br/>data · 00000000"]:::data
  n2["train.py<br/>file · 00000000"]:::file
  n3["out<br/>sub/dvc.yaml:use · 44444444.dir"]
  n1 --> n0
  n2 --> n0
  n0 -.- n3
  classDef artifact stroke-width:3px
  classDef data stroke-dasharray:5 3
  classDef file stroke-dasharray:2 2
"""
    )


# What GitHub's renderer takes: every line is one of these, and labels hold no live character.
_LABEL = r"(?:[\w ._\-/:=,+@~()·…]|#\d+;|<br/>)*"
_LINES = [
    r"flowchart LR", r"%% [^{}]*", rf'\w+\["{_LABEL}"\](?::::\w+)?', r"n\d+ (?:-->|-\.-) n\d+",
    r"classDef \w+ [\w:, \-]+",
]  # fmt: skip
_LINE = re.compile("|".join(f"(?:  )?{one}" for one in _LINES))


@pytest.mark.parametrize("answer", [SMALL, hostile(), chain(1), chain(40)])
def test_mermaid_is_valid(answer: Answer) -> None:
    text = as_mermaid(answer)
    assert [line for line in text.split("\n")[:-1] if not _LINE.fullmatch(line)] == []
    boxes = [line for line in text.split("\n") if re.match(r'  n\d+\["', line)]
    assert len(boxes) == len(answer.nodes)


def test_mermaid_has_an_end() -> None:
    """GitHub refuses more than 500 arrows and 50,000 characters: the nearest nodes are drawn."""
    text = as_mermaid(chain(2000))
    assert text.count('["') == MOST_NODES + 1
    assert f'more["{2000 - MOST_NODES} more, further away, are left out"]' in text
    assert len(text) < 50_000
    assert "file-149" in text
    assert "file-151" not in text
    many = [Edge(name(one), name(other)) for one in range(40) for other in range(40)]
    text = as_mermaid(chain(40)._replace(edges=tuple(many)))
    assert text.count(" --> ") == MOST_EDGES
    assert "arrows are left out" in text


def test_dot() -> None:
    lines = as_dot(SMALL).splitlines()
    assert lines[0] == "digraph lineage {"
    assert lines[-1] == "}"
    assert "  n0 -> n3 [style=dashed, dir=none];" in lines
    assert any(line.startswith('  n1 [label="data\\ndata · 00000000"') for line in lines)


_STRING = r'"(?:[^"\\\n]|\\["\\nl])*"'
_NAMED = rf"\w+=(?:{_STRING}|[\w.\"]+)"
_STATEMENT = re.compile(
    rf"  (?:\w+=\w+|\w+ \[{_NAMED}(?:, {_NAMED})*\]|label={_STRING}; labelloc=b; labeljust=l"
    r"|n\d+ -> n\d+(?: \[style=dashed, dir=none\])?);"
)


@pytest.mark.parametrize("answer", [SMALL, hostile(), chain(1), chain(2000)])
def test_dot_is_valid(answer: Answer) -> None:
    text = as_dot(answer)
    text.encode()
    inner = text.split("\n")[1:-2]
    assert [line for line in inner if not _STATEMENT.fullmatch(line)] == []


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_it() -> None:
    done = subprocess.run(
        ["dot", "-Tplain"], input=as_dot(hostile()).encode(), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(re.findall(rb"^node ", done.stdout, re.MULTILINE)) == len(HOSTILE)

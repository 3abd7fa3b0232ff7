"""`mlx dag`: the graph for the terminal, for Graphviz, for Mermaid and for Markdown."""

import pytest
from tests.support.project import Project

STAGES = {
    "prep": {"cmd": "x", "deps": ["in"], "outs": ["clean"]},
    "stats": {"cmd": "x", "deps": ["clean"], "outs": ["stats.json"]},
    "train": {"cmd": "x", "deps": ["clean"], "outs": ["model"]},
    "report": {"cmd": "x", "deps": ["stats.json", "model"], "outs": ["report"]},
    "alone": {"cmd": "x", "deps": ["in"], "outs": ["y"]},
}
TREE = """\
prep (stale)
├─ stats (stale)
└─ train (stale)
   └─ report (stale)  (and stats)
alone (stale)
"""
MERMAID = """\
flowchart TD
\tnode1["prep"]
\tnode2["stats"]
\tnode3["train"]
\tnode4["report"]
\tnode5["alone"]
\tnode1-->node2
\tnode1-->node3
\tnode2-->node4
\tnode3-->node4
"""


@pytest.fixture
def drawn(project: Project) -> Project:
    """A graph with a branch that meets again, and a stage by itself."""
    project.pipeline(STAGES)
    project.write("sub/keep", "")
    return project


def test_on_a_terminal(drawn: Project) -> None:
    assert drawn.mlx("dag").ok().stdout == TREE


def test_fresh_stages_have_no_mark(trained: Project) -> None:
    assert trained.mlx("dag").ok().stdout == "prep\n└─ train\n   └─ evaluate\n"


def test_a_target_and_what_it_needs(drawn: Project) -> None:
    assert drawn.mlx("dag", "train").ok().stdout == "prep (stale)\n└─ train (stale)\n"
    full = drawn.mlx("dag", "train", "--full").ok().stdout
    assert "report" in full and "alone" not in full


def test_mermaid_and_markdown(drawn: Project) -> None:
    assert drawn.mlx("dag", "--mermaid").ok().stdout == MERMAID
    assert drawn.mlx("dag", "--md").ok().stdout == f"```mermaid\n{MERMAID}```\n"


@pytest.mark.parametrize("args", [("--dot",), ("--dot", "train"), ("--dot", "--full", "train")])
def test_dot_is_dvcs(args: tuple[str, ...], drawn: Project) -> None:
    ours, dvcs = (tool("dag", *args).ok().stdout for tool in (drawn.mlx, drawn.dvc))
    # Libraries put one space or two behind `digraph`, and empty lines at the end.
    assert sorted(_lines(ours)) == sorted(_lines(dvcs))


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line]


def test_names_as_seen_from_a_subfolder(drawn: Project) -> None:
    assert (
        '"../dvc.yaml:prep" -> "../dvc.yaml:train";'
        in drawn.mlx("dag", "--dot", cwd="sub").ok().stdout
    )


def test_an_empty_project(project: Project) -> None:
    assert project.mlx("dag").ok().stdout == ""

"""An answer to a question of lineage, as plain data: all that showing or drawing it needs.

Artifacts are the nodes of a graph, each digest once; an edge leads from what was read to what was
made of it. Paths are relative to the Git repository's top, with `/`; a stage is named as DVC
addresses it from the project's root (`train`, `sub/dvc.yaml:train`, `data.csv.dvc`).
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

Params = Mapping[str, Mapping[str, Any]]
"""Values by file, then by name."""

_NONE: Final[Params] = {}


class Item(NamedTuple):
    """A path with its content's digest, as a stage read or wrote it."""

    path: str
    md5: str
    size: int | None = None


class Producer(NamedTuple):
    """One time that a digest came to be at a path: a commit that introduced it, or a run.

    `commit` is None where only a run, or the working tree, knows of it. `date` is in ISO 8601.
    `cmd` is None for a `.dvc` file: somebody added the data, no stage made it. `run` is the
    record of the run that made it, with its `id`. `refs` are the branches and tags that contain
    the commit. `border` marks a commit where a shallow clone begins: the digest may be older.
    `before` are the parameters of what was at the path before, None where nothing was.
    """

    commit: str | None
    date: str
    author: str
    subject: str
    stage: str
    cmd: str | list[str] | None
    path: str
    deps: tuple[Item, ...]
    params: Params
    run: Mapping[str, Any] | None
    refs: tuple[str, ...]
    border: bool = False
    before: Params | None = None


class Node(NamedTuple):
    """One artifact of the graph, with the production of it that the answer is about.

    `kind` is `output` (a stage made it), `data` (a `.dvc` file tracks it: raw data) or `file`
    (only read: code and other files that Git has). `side` is `artifact` (the one asked for),
    `upstream` or `downstream`; `depth` counts the steps from the artifact, from 0. `productions`
    counts the times that it came to be. `stage`, `cmd`, `commit`, `date`, `subject`, `params`,
    `metrics` and `run` are those of the production shown, empty for a `file`; `metrics` are
    those that its stage wrote, by file.
    """

    md5: str
    path: str
    paths: tuple[str, ...] = ()
    size: int | None = None
    kind: str = "output"
    side: str = "artifact"
    depth: int = 0
    stage: str | None = None
    cmd: str | list[str] | None = None
    commit: str | None = None
    date: str = ""
    subject: str = ""
    params: Params = _NONE
    metrics: Params = _NONE
    run: Mapping[str, Any] | None = None
    productions: int = 0


class Edge(NamedTuple):
    """`target` was made of `source`, or (`part`) is a file in the folder `source`, or holds it.

    Both are digests of nodes.
    """

    source: str
    target: str
    kind: str = "dep"


class Answer(NamedTuple):
    """What is known of one artifact.

    `nodes` begin with the artifact itself (`nodes[0]`), then come upstream and downstream, nearer
    ones first. `producers` are those of the artifact, oldest first; empty if nothing is known.
    `notes` say what could not be known, and why (a shallow clone, broken lock files).
    """

    artifact: Node
    producers: tuple[Producer, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    notes: tuple[str, ...] = ()

    def upstream(self) -> tuple[Node, ...]:
        """Return all that it was made of, nearer ones first."""
        return tuple(one for one in self.nodes if one.side == "upstream")

    def downstream(self) -> tuple[Node, ...]:
        """Return all that was made of it, nearer ones first."""
        return tuple(one for one in self.nodes if one.side == "downstream")

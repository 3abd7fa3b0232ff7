"""Answers what a digest was made of and what was made of it, through all of history."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from mlxkit.lineage.answer import Answer, Edge, Item, Node, Params, Producer
from mlxkit.lineage.index import Index
from mlxkit.lineage.metrics import stage_metrics
from mlxkit.lineage.productions import Production, deps, productions
from mlxkit.lineage.refs import containing
from mlxkit.lineage.schema import DEP, OUT
from mlxkit.lineage.writer import chunks


class Asked(NamedTuple):
    """What a question is about; `folder` is the tracked folder that holds it, if one does.

    `commit` is that of the version that was named, if one was.
    """

    md5: str
    path: str = ""
    size: int | None = None
    folder: Item | None = None
    notes: tuple[str, ...] = ()
    commit: str | None = None


def answer(
    index: Index,
    asked: Asked,
    *,
    upstream: bool = True,
    downstream: bool = True,
    depth: int | None = None,
    recipes: Collection[int] | None = None,
) -> Answer:
    """Tell all that is known of an artifact; `depth` limits the steps each way.

    With `recipes` only these count: those of one commit, of all that ever gave the same bytes.
    """
    edges: dict[tuple[str, str], Edge] = {}
    sides = {asked.md5: ("artifact", 0)}
    if asked.folder is not None and asked.folder.md5 != asked.md5:
        _hold(edges, asked.folder.md5, asked.md5)
    for side, wanted in (("upstream", upstream), ("downstream", downstream)):
        if wanted:
            _walk(index, asked, side, depth, sides, edges, recipes)
    # The folder's producers are the file's, also where nobody asked for that side.
    whole = [asked.folder.md5] if asked.folder else []
    made = productions(index, [*sides, *whole], recipes)
    nodes = _nodes(index, sides, made, asked)
    whose = made.get(asked.md5) or (made.get(asked.folder.md5, []) if asked.folder else [])
    return Answer(
        artifact=nodes[0],
        producers=_producers(index, whose),
        nodes=tuple(nodes),
        edges=tuple(edges.values()),
        notes=(*asked.notes, *_notes(index, whose)),
    )


def _hold(edges: dict[tuple[str, str], Edge], source: str, target: str) -> None:
    edges[source, target] = Edge(source, target, "part")


def _walk(
    index: Index,
    asked: Asked,
    side: str,
    depth: int | None,
    sides: dict[str, tuple[str, int]],
    edges: dict[tuple[str, str], Edge],
    recipes: Collection[int] | None,
) -> None:
    """Go on step by step until nothing new turns up; each digest is looked at once."""
    seen = {asked.md5}
    level = {asked.md5}
    if side == "downstream" and asked.folder is not None:
        level.add(asked.folder.md5)  # whoever reads the folder reads the file
    steps = 0
    while level and (depth is None or steps < depth):
        steps += 1
        found = list(_neighbours(index, level, side, recipes))
        if side == "upstream" and steps == 1 and asked.folder is not None:
            found.append(Edge(asked.folder.md5, asked.md5, "part"))
        level = set()
        for edge in found:
            if edge.source != edge.target:
                edges.setdefault((edge.source, edge.target), edge)
                level.add(edge.source if side == "upstream" else edge.target)
        level -= seen
        seen |= level
        for md5 in level:
            sides.setdefault(md5, (side, steps))


def _neighbours(
    index: Index, digests: Iterable[str], side: str, recipes: Collection[int] | None
) -> Iterable[Edge]:
    only = "" if recipes is None else " AND a.recipe IN (SELECT value FROM json_each(?))"
    given = [] if recipes is None else [json.dumps(sorted(recipes))]
    near, far = (OUT, DEP) if side == "upstream" else (DEP, OUT)
    here, there = ("target", "source") if side == "upstream" else ("source", "target")
    for part in chunks(sorted(digests)):
        marks = ",".join("?" * len(part))
        for md5, other in index.db.execute(
            "SELECT DISTINCT one.md5, other.md5 FROM things one"
            " JOIN uses a ON a.thing = one.id AND a.role = ?"
            " JOIN uses b ON b.recipe = a.recipe AND b.role = ?"
            " JOIN things other ON other.id = b.thing"
            f" WHERE one.md5 IN ({marks}) AND other.md5 != ''{only} ORDER BY a.recipe, b.place",
            (near, far, *part, *given),
        ):
            yield Edge(other, md5) if side == "upstream" else Edge(md5, other)
        for md5, other in index.db.execute(
            f"SELECT DISTINCT {here}, {there} FROM parts WHERE {here} IN ({marks})", part
        ):
            yield Edge(other, md5, "part") if side == "upstream" else Edge(md5, other, "part")


def _nodes(
    index: Index,
    sides: Mapping[str, tuple[str, int]],
    made: Mapping[str, list[Production]],
    asked: Asked,
) -> list[Node]:
    names = _names(index, sides)
    shown = {md5: each[0] for md5, each in made.items()}
    metrics = stage_metrics(index, shown.values())
    order = {"artifact": 0, "upstream": 1, "downstream": 2}
    found = []
    for md5, (side, steps) in sides.items():
        paths, size = names.get(md5, ((), None))
        if md5 == asked.md5:
            size = asked.size if size is None else size
            paths = paths or ((asked.path,) if asked.path else ())
        path = paths[0] if paths else ""
        node = Node(md5, path, paths, size, "file", side, steps)
        one = shown.get(md5)
        if one is not None:
            path = asked.path if md5 == asked.md5 and asked.path in paths else one.path
            node = node._replace(
                path=path, kind="data" if one.is_data else "output", stage=one.stage, cmd=one.cmd,
                commit=one.commit, date=one.date, subject=one.subject, params=one.params,
                metrics=metrics.get(md5, {}), run=one.run, productions=len(made[md5]),
            )  # fmt: skip
        found.append(node)
    found.sort(key=lambda node: (order[node.side], node.depth, node.path, node.md5))
    return found


def _names(index: Index, digests: Iterable[str]) -> dict[str, tuple[tuple[str, ...], int | None]]:
    """Return all paths of each digest, and its size."""
    found: dict[str, tuple[tuple[str, ...], int | None]] = {}
    for part in chunks(sorted(digests)):
        for md5, path, size in index.db.execute(
            "SELECT md5, path, size FROM things"
            f" WHERE md5 IN ({','.join('?' * len(part))}) ORDER BY path",
            part,
        ):
            paths, known = found.get(md5, ((), None))
            found[md5] = ((*paths, path), size if known is None else known)
    return found


def _producers(index: Index, made: list[Production]) -> tuple[Producer, ...]:
    read = deps(index, [one.recipe for one in made])
    refs = containing(index, [one.commit for one in made if one.commit])
    return tuple(
        Producer(
            one.commit, one.date, one.author, one.subject, one.stage, one.cmd, one.path,
            read.get(one.recipe, ()), one.params, one.run, refs.get(one.commit or "", ()),
            one.border, _before(index, one),
        )
        for one in made
    )  # fmt: skip


def _before(index: Index, one: Production) -> Params | None:
    """Return the parameters of the version at the same path that came before, by its date."""
    time = one.time if one.commit else 1 << 62
    row = index.db.execute(
        "SELECT params FROM things JOIN introduced ON thing = things.id"
        " JOIN commits ON commit_id = commits.id JOIN recipes ON recipe = recipes.id"
        " WHERE path = ? AND md5 != ? AND oid != '' AND (time, commits.id) <"
        " (?, coalesce((SELECT id FROM commits WHERE oid = ?), 0))"
        " ORDER BY time DESC, commits.id DESC LIMIT 1",
        (one.path, one.md5, time, one.commit),
    ).fetchone()
    return None if row is None else dict(json.loads(row[0]))


def _notes(index: Index, made: list[Production]) -> list[str]:
    found = []
    if any(one.border for one in made):
        found.append(
            "this clone is shallow: what its first commits record may be older"
            " (to know: git fetch --unshallow)"
        )
    broken = [text for (text,) in index.db.execute("SELECT text FROM notes ORDER BY rowid")]
    if len(broken) > 3:
        broken = [*broken[:3], f"and {len(broken) - 3} more such files in history"]
    return found + broken

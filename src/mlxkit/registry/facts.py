"""What a card says besides: data with rows, evaluation data, environment and cost, from records."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.lineage.answer import Answer, Node
from mlxkit.lineage.index import Index
from mlxkit.lineage.query import Asked, answer
from mlxkit.registry.about import About
from mlxkit.runs import ledger
from mlxkit.runs.cost import Cost, cost_of, total
from mlxkit.runs.differences import Difference, differences, read
from mlxkit.runs.prices import load_prices

_MEASURED = 8
"""So many metrics files are followed back."""


class Data(NamedTuple):
    """A file that a version was made of, or measured on; rows where a record says so.

    `trained` marks what it was measured on, and had been made of, too; `kept` what Git keeps.
    """

    path: str
    md5: str
    size: int | None
    rows: int | None
    trained: bool = False
    kept: bool = False


class Facts(NamedTuple):
    """`training` is raw data, and what was made of it on the way where its rows are known;
    `inputs` is what the stage itself read, `kept` what Git has of all that: code, small data.

    `evaluation` is what was read to measure it. `environment` is empty where none is on record.
    """

    training: Sequence[Data]
    inputs: Sequence[Data]
    kept: Sequence[Data]
    evaluation: Sequence[Data]
    environment: Sequence[Difference]
    cost: Cost
    currency: str


def facts(index: Index, found: About) -> Facts:
    """Return what is on record; raises MlxError where Git cannot be read."""
    rows = _rows(found)
    lineage = found.lineage
    upstream = lineage.upstream() if lineage is not None else ()
    prices = load_prices(index.root)
    return Facts(
        training=[_data(one, rows) for one in _training(upstream, rows)],
        inputs=[_data(one, rows) for one in _inputs(lineage)],
        kept=[_data(one, rows) for one in upstream if one.kind == "file"],
        evaluation=_evaluation(index, found, rows),
        environment=_environment(index, found),
        cost=total(_costs(index, lineage, prices)),
        currency=(prices.currency or "") if prices is not None else "",
    )


def _data(one: Node, rows: Mapping[str, int]) -> Data:
    return Data(one.path, one.md5, one.size, rows.get(one.md5))


def _rows(found: About) -> dict[str, int]:
    """Return how many rows files have, by digest, as gates counted them."""
    counted: dict[str, int] = {}
    for gate in found.gates.values():
        verdicts = gate.verdict.what.get("verdicts")
        for one in verdicts if isinstance(verdicts, list) else []:
            if not isinstance(one, dict) or one.get("rule") != "data":
                continue
            value, evidence = one.get("value"), one.get("evidence")
            is_rows = str(one.get("what", "")).rpartition(":")[2].strip() == "rows"
            if is_rows and isinstance(value, (int, float)) and isinstance(evidence, dict):
                counted |= {md5: int(value) for md5 in evidence.values() if isinstance(md5, str)}
    return counted


def _training(upstream: Sequence[Node], rows: Mapping[str, int]) -> list[Node]:
    raw = [one for one in upstream if one.kind == "data"]
    return raw + [one for one in upstream if one.kind == "output" and one.md5 in rows]


def _inputs(lineage: Answer | None) -> list[Node]:
    """Return what its stage read that other stages had made."""
    if lineage is None:
        return []
    own = {lineage.artifact.md5}  # and the folder that holds it
    own |= {one.source for one in lineage.edges if one.kind == "part" and one.target in own}
    near = {one.source for one in lineage.edges if one.kind != "part" and one.target in own}
    return [one for one in lineage.upstream() if one.md5 in near and one.kind == "output"]


def _evaluation(index: Index, found: About, rows: Mapping[str, int]) -> list[Data]:
    """Return what was read to measure it, besides itself and what came of it; and what only that
    was made of. Metrics are no data, whatever stage waits for them.
    """
    lineage = found.lineage
    if lineage is None:
        return []
    made_of = {one.md5 for one in lineage.upstream()}
    after = {one.md5 for one in lineage.downstream()}
    measured = [
        one for one in lineage.downstream()
        if any(path == name or path.endswith(f"/{name}") for path in one.paths
               for name in found.metrics)
    ]  # fmt: skip
    data: dict[str, Data] = {}
    for metrics in measured[:_MEASURED]:
        asked = Asked(metrics.md5, metrics.path)
        behind = answer(index, asked, downstream=False, recipes=found.recipes)
        read = {edge.source for edge in behind.edges if edge.target in after}
        for node in behind.upstream():
            trained = node.md5 in made_of
            kept = node.kind == "file"
            if node.md5 in after or node.md5 == lineage.artifact.md5 or _is_metrics(node):
                continue
            if not trained or (node.md5 in read and not kept):
                one = _data(node, rows)
                data.setdefault(node.md5, one._replace(trained=trained, kept=kept))
    return sorted(data.values(), key=lambda one: (one.trained, one.path))


def _is_metrics(node: Node) -> bool:
    return any(path in node.metrics for path in node.paths)


def _environment(index: Index, found: About) -> list[Difference]:
    run = found.made.run if found.made is not None else None
    name = run.get("env") if run else None
    if not isinstance(name, str):
        return []
    return differences({}, read(ledger.environment(index.git_root, name)))


def _costs(index: Index, lineage: Answer | None, prices: Any) -> list[Cost]:
    """Return what the runs cost that made it and all that it was made of."""
    if lineage is None:
        return []
    nodes = [lineage.artifact, *lineage.upstream()]
    ids = {str(one.run["id"]) for one in nodes if one.run is not None and "id" in one.run}
    if not ids:
        return []
    records = ledger.read_all(index.git_root).records
    return [cost_of(records[one], prices) for one in sorted(ids) if one in records]

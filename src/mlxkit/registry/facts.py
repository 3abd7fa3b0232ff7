"""What a card says besides: data with rows, evaluation data, environment and cost, from records."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.lineage.answer import Answer, Node
from mlxkit.lineage.index import Index
from mlxkit.lineage.query import Asked, answer
from mlxkit.registry.about import About
from mlxkit.runs import ledger
from mlxkit.runs.cost import Cost, cost_of, total
from mlxkit.runs.differences import read
from mlxkit.runs.prices import load_prices


class Data(NamedTuple):
    """A file that a version was made of, or measured on; rows where a record says so."""

    path: str
    md5: str
    size: int | None
    rows: int | None


class Facts(NamedTuple):
    """`training` is raw data, `inputs` what the stage itself read, `evaluation` what came to it
    only when it was measured. `environment` is empty where none is on record.
    """

    training: Sequence[Data]
    inputs: Sequence[Data]
    evaluation: Sequence[Data]
    environment: Mapping[str, Any]
    cost: Cost
    currency: str


def facts(index: Index, found: About) -> Facts:
    """Return what is on record; raises MlxError where Git cannot be read."""
    rows = _rows(found)
    lineage = found.lineage
    prices = load_prices(index.root)
    return Facts(
        training=[_data(one, rows) for one in _raw(lineage)],
        inputs=[_data(one, rows) for one in _inputs(lineage)],
        evaluation=[_data(one, rows) for one in _evaluation(index, found)],
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


def _raw(lineage: Answer | None) -> list[Node]:
    return [one for one in lineage.upstream() if one.kind == "data"] if lineage else []


def _inputs(lineage: Answer | None) -> list[Node]:
    """Return what its stage read that other stages had made."""
    if lineage is None:
        return []
    own = {lineage.artifact.md5}  # and the folder that holds it
    own |= {one.source for one in lineage.edges if one.kind == "part" and one.target in own}
    near = {one.source for one in lineage.edges if one.kind != "part" and one.target in own}
    return [one for one in lineage.upstream() if one.md5 in near and one.kind == "output"]


def _evaluation(index: Index, found: About) -> list[Node]:
    """Return the data behind its metrics files that it was not itself made of."""
    if found.lineage is None:
        return []
    known = {one.md5 for one in (*found.lineage.upstream(), *found.lineage.downstream())}
    known.add(found.lineage.artifact.md5)
    measured = [
        one for one in found.lineage.downstream()
        if any(path == name or path.endswith(f"/{name}") for path in one.paths
               for name in found.metrics)
    ]  # fmt: skip
    fresh: dict[str, Node] = {}
    for one in measured[:8]:
        behind = answer(index, Asked(one.md5, one.path), downstream=False)
        for node in behind.upstream():
            if node.kind != "file" and node.md5 not in known:
                fresh.setdefault(node.md5, node)
    return sorted(fresh.values(), key=lambda one: one.path)


def _environment(index: Index, found: About) -> Mapping[str, Any]:
    run = found.made.run if found.made is not None else None
    name = run.get("env") if run else None
    if not isinstance(name, str):
        return {}
    return read(ledger.environment(index.git_root, name))


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

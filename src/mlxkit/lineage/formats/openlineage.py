"""An answer as OpenLineage events: one a stage that made something, as it would have sent it."""

import datetime
import json
import math
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from mlxkit import __version__
from mlxkit.lineage.answer import Answer, Node
from mlxkit.lineage.formats.words import command, nodes_of

NAMESPACE = "mlx"
PRODUCER = f"urn:mlxkit:{__version__}"
_SPEC = "https://openlineage.io/spec"
_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_NAMES = uuid.UUID("d8f6c6f3-3f0b-5c26-9d55-7f1a3a1f5a0e")
_NEVER = "1970-01-01T00:00:00Z"


class _Production(NamedTuple):
    """What tells one run of a stage from another."""

    stage: str
    commit: str | None
    run: str | None


def render(answer: Answer) -> str:
    """Return a JSON list of run events, those of earlier stages first."""
    nodes, _ = nodes_of(answer)
    by_name = {node.md5: node for node in nodes}
    inputs: dict[str, list[Node]] = {}
    for edge in answer.edges:
        if edge.kind != "part" and edge.source in by_name:
            inputs.setdefault(edge.target, []).append(by_name[edge.source])
    groups: dict[_Production, list[Node]] = {}
    for node in nodes:
        if node.stage is not None and node.cmd is not None:
            run = str(node.run["id"]) if node.run and node.run.get("id") else None
            groups.setdefault(_Production(node.stage, node.commit, run), []).append(node)
    events = [_event(made, outs, _all(inputs, outs)) for made, outs in groups.items()]
    events.sort(key=lambda event: (_parsed(event["eventTime"]), event["job"]["name"]))
    text = json.dumps(events, indent=2, ensure_ascii=False, allow_nan=False, default=str)
    return text.encode("utf-8", "replace").decode("utf-8") + "\n"


def _all(inputs: Mapping[str, Sequence[Node]], outs: Sequence[Node]) -> list[Node]:
    """Return what any of the outputs was made of, each once, without the outputs."""
    known = {node.md5: node for out in outs for node in inputs.get(out.md5, ())}
    return [node for md5, node in known.items() if md5 not in {out.md5 for out in outs}]


def _event(made: _Production, outs: Sequence[Node], inputs: Sequence[Node]) -> dict[str, Any]:
    first = outs[0]
    words = ascii(tuple(made))
    return {
        "eventType": "COMPLETE",
        "eventTime": _ended(first),
        "producer": PRODUCER,
        "schemaURL": _EVENT,
        "run": {"runId": str(uuid.uuid5(_NAMES, words)), "facets": _run_facets(first)},
        "job": {
            "namespace": NAMESPACE,
            "name": made.stage,
            "facets": _job_facets(first),
        },
        "inputs": [_dataset(node) for node in inputs],
        "outputs": [_output(node) for node in outs],
    }


def _ended(node: Node) -> str:
    """Return when the stage ended, else when its result was committed."""
    if node.run and _is_time(node.run.get("started")):
        seconds = node.run.get("seconds")
        spent = seconds if isinstance(seconds, int | float) else 0
        ended = _parsed(str(node.run["started"]))
        with suppress(OverflowError):  # a stranger's record may tell of any number of seconds
            ended += datetime.timedelta(seconds=spent)
        return ended.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return node.date if _is_time(node.date) else _NEVER


def _is_time(text: Any) -> bool:
    try:
        return bool(_parsed(str(text)))
    except ValueError:
        return False


def _parsed(text: str) -> datetime.datetime:
    found = datetime.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _facet(schema: str, values: Mapping[str, Any]) -> dict[str, Any]:
    name = schema.rpartition("/")[2]
    url = f"{_SPEC}/facets/{schema}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": url, **values}


def _own_facet(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a facet of ours, of which the specification only says that it is one."""
    url = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunFacet"
    return {"_producer": PRODUCER, "_schemaURL": url, **values}


def _run_facets(node: Node) -> dict[str, Any]:
    version = str((node.run or {}).get("mlx") or __version__)
    facets = {
        "processing_engine": _facet(
            "1-1-1/ProcessingEngineRunFacet", {"version": version, "name": "mlx"}
        )
    }
    if node.params:
        facets["mlx_params"] = _own_facet({"params": _plain(node.params)})
    if node.metrics:
        facets["mlx_metrics"] = _own_facet({"metrics": _plain(node.metrics)})
    return facets


def _plain(value: Any) -> Any:
    """Return plain JSON, which has no infinity and no not-a-number."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _job_facets(node: Node) -> dict[str, Any]:
    kind = {"processingType": "BATCH", "integration": "MLX", "jobType": "STAGE"}
    facets = {
        "jobType": _facet("2-0-3/JobTypeJobFacet", kind),
        "sourceCode": _facet(
            "1-0-1/SourceCodeJobFacet", {"language": "shell", "sourceCode": command(node.cmd)}
        ),
    }
    commit = node.commit or (node.run or {}).get("commit")
    if commit:
        # The facet must have an address; which server has the repository is nothing to tell here:
        # a remote's address may hold a password.
        where = {"type": "git", "url": f"urn:git:{commit}", "version": commit}
        facets["sourceCodeLocation"] = _facet("1-0-1/SourceCodeLocationJobFacet", where)
    return facets


def _dataset(node: Node) -> dict[str, Any]:
    version = _facet("1-0-1/DatasetVersionDatasetFacet", {"datasetVersion": node.md5})
    return {"namespace": NAMESPACE, "name": node.path, "facets": {"version": version}}


def _output(node: Node) -> dict[str, Any]:
    found = _dataset(node)
    if node.size is not None:
        size = _facet("1-0-2/OutputStatisticsOutputDatasetFacet", {"size": node.size})
        found["outputFacets"] = {"outputStatistics": size}
    return found

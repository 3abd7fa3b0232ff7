"""OpenLineage events: as the published schema wants them."""

import json
import re
import uuid
from datetime import datetime
from typing import Any

import pytest

from mlxkit.lineage.answer import Answer, Edge, Node
from mlxkit.lineage.formats.openlineage import render

from .answers import chain, hostile, name

# From the specification 2-0-2 and its facets: what must be there, and of which type.
RUN_EVENT = {
    "eventTime": "date-time", "producer": "uri", "schemaURL": "uri", "eventType": "string",
    "run": {"runId": "uuid", "facets": "facets"},
    "job": {"namespace": "string", "name": "string", "facets": "facets"},
    "inputs": [{"namespace": "string", "name": "string", "facets": "facets"}],
    "outputs": [{"namespace": "string", "name": "string", "facets": "facets"}],
}  # fmt: skip
FACETS: dict[str, dict[str, str]] = {
    "version": {"datasetVersion": "string"},
    "outputStatistics": {"size": "integer"},
    "sourceCodeLocation": {"type": "string", "url": "uri", "version": "string"},
    "sourceCode": {"language": "string", "sourceCode": "string"},
    "jobType": {"processingType": "string", "integration": "string", "jobType": "string"},
    "processing_engine": {"version": "string", "name": "string"},
    "mlx_params": {"params": "object"},
    "mlx_metrics": {"metrics": "object"},
}
EVENT_TYPES = {"START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"}


def check(value: Any, wanted: Any) -> None:
    """Check a value against its part of the schema."""
    if isinstance(wanted, dict):
        for key, one in wanted.items():
            check(value[key], one)
    elif isinstance(wanted, list):
        for one in value:
            check(one, wanted[0])
            check(one.get("outputFacets", {}), "facets")
    elif wanted == "facets":
        for facet_name, facet in value.items():
            check(facet, {"_producer": "uri", "_schemaURL": "uri", **FACETS[facet_name]})
    elif wanted == "uuid":
        assert str(uuid.UUID(value)) == value
    elif wanted == "date-time":
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value)
        datetime.fromisoformat(value)
    elif wanted == "uri":
        assert re.fullmatch(r"[a-z][a-z0-9+.-]*:[!-~]+", value)
    else:
        assert type(value) is {"string": str, "integer": int, "object": dict}[wanted]


def strict(text: str) -> Any:
    """Parse JSON that has no NaN."""
    return json.loads(text, parse_constant=pytest.fail)


@pytest.mark.parametrize("answer", [chain(1), chain(40), chain(2000), chain(2, kind="data")])
def test_valid(answer: Answer) -> None:
    events = strict(render(answer))
    for event in events:
        check(event, RUN_EVENT)
        assert event["eventType"] in EVENT_TYPES
    made = [node for node in answer.nodes if node.cmd]
    assert sorted(one["name"] for event in events for one in event["outputs"]) == sorted(
        node.path for node in made
    )
    assert len({event["run"]["runId"] for event in events}) == len(events)


def test_text_of_strangers() -> None:
    text = render(hostile())
    text.encode()
    for event in strict(text):
        check(event["run"], RUN_EVENT["run"])
        check(event["eventTime"], "date-time")


def test_jobs_and_datasets() -> None:
    run = {"id": "ab" * 32, "started": "2026-01-02T03:04:05.678Z", "seconds": 10.5, "mlx": "7"}
    commit = "c" * 40
    made = {"stage": "train", "cmd": ["a", "b"], "commit": commit, "run": run}
    answer = Answer(
        Node(name(1), "model", size=5, **made),  # type: ignore[arg-type]
        (),
        (
            Node(name(1), "model", size=5, **made),  # type: ignore[arg-type]
            Node(name(2), "log", side="upstream", **made),  # type: ignore[arg-type]
            Node(name(3), "data", kind="data", side="upstream", stage="data.dvc"),
        ),
        (Edge(name(3), name(1)), Edge(name(3), name(2)), Edge(name(2), name(1), "part")),
    )
    (event,) = strict(render(answer))
    assert event["eventTime"] == "2026-01-02T03:04:16.178Z"
    assert (event["job"]["namespace"], event["job"]["name"]) == ("mlx", "train")
    assert event["job"]["facets"]["sourceCode"]["sourceCode"] == "a\nb"
    where = event["job"]["facets"]["sourceCodeLocation"]
    assert (where["type"], where["version"]) == ("git", commit)
    assert [one["name"] for one in event["inputs"]] == ["data"]
    assert event["inputs"][0]["facets"]["version"]["datasetVersion"] == name(3)
    assert [one["name"] for one in event["outputs"]] == ["model", "log"]
    assert event["run"]["facets"]["processing_engine"]["version"] == "7"
    assert strict(render(answer)) == strict(render(answer))

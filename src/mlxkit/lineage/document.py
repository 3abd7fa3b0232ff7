"""An answer as the JSON document that other programs rely on."""

from collections.abc import Mapping
from typing import Any

from mlxkit.lineage.answer import Answer, Item, Node, Params, Producer
from mlxkit.metrics.load import flatten


def document(answer: Answer) -> dict[str, Any]:
    """Return the answer as plain JSON values."""
    one = answer.artifact
    found: dict[str, Any] = {
        "artifact": {"md5": one.md5, "size": one.size, "paths": list(one.paths)},
        "producers": [_producer(each) for each in answer.producers],
        "upstream": [_node(each) for each in answer.upstream()],
        "downstream": [_node(each) for each in answer.downstream()],
        "edges": [each._asdict() for each in answer.edges],
    }
    if answer.notes:
        found["notes"] = list(answer.notes)
    return found


def changes(before: Params | None, now: Params) -> dict[str, dict[str, tuple[Any, Any]]]:
    """Return the values that differ, old and new, by file and dotted name; None: not there."""
    found: dict[str, dict[str, tuple[Any, Any]]] = {}
    for file in sorted({*now, *(before or {})}):
        old, new = flatten((before or {}).get(file, {})), flatten(now.get(file, {}))
        for name in dict.fromkeys([*new, *old]):
            if old.get(name) != new.get(name):
                found.setdefault(file, {})[name] = (old.get(name), new.get(name))
    return found


def changes_json(before: Params | None, now: Params) -> dict[str, Any]:
    """Return what `changes` does, for JSON."""
    return {
        file: {name: {"old": old, "new": new} for name, (old, new) in values.items()}
        for file, values in changes(before, now).items()
    }


def run_json(run: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what an answer tells of a run: all but what the answer says itself."""
    if run is None:
        return None
    said = ("deps", "outs", "params", "cmd", "stage", "format", "project", "reasons", "left_out")
    return {key: value for key, value in run.items() if key not in said}


def _producer(one: Producer) -> dict[str, Any]:
    return {
        "commit": one.commit,
        "date": one.date,
        "author": one.author,
        "subject": one.subject,
        "stage": one.stage,
        "cmd": one.cmd,
        "path": one.path,
        "deps": [_item(each) for each in one.deps],
        "params": one.params,
        "changed": changes_json(one.before, one.params) if one.before is not None else {},
        "run": run_json(one.run),
        "refs": list(one.refs),
        "border": one.border,
    }


def _item(one: Item) -> dict[str, Any]:
    return {"path": one.path, "md5": one.md5 or None, "size": one.size}


def _node(one: Node) -> dict[str, Any]:
    return {
        "md5": one.md5,
        "path": one.path,
        "paths": list(one.paths),
        "size": one.size,
        "kind": one.kind,
        "depth": one.depth,
        "stage": one.stage,
        "cmd": one.cmd,
        "commit": one.commit,
        "date": one.date,
        "subject": one.subject,
        "params": one.params,
        "metrics": one.metrics,
        "run": run_json(one.run),
        "productions": one.productions,
    }

"""Experiments as DVC's `exp show --json` has them: plain data, made from states."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlxkit.comparison.memory import Later
from mlxkit.comparison.state import Dependency, FileValues, Output, State, Trouble
from mlxkit.experiments.refs import Experiment

Document = dict[str, Any]


def entry(
    rev: str,
    state: State | Trouble,
    name: str | None = None,
    experiments: Sequence[Document] | None = None,
    *,
    data: bool = True,
) -> Document:
    """Return one revision, or what is wrong with it; without `data` no dependencies, no outputs."""
    error = {"msg": state.msg, "type": state.type} if isinstance(state, Trouble) else None
    return {
        "rev": rev,
        "name": name,
        "data": None if isinstance(state, Trouble) else _data(rev, state, data),
        "error": error,
        "experiments": list(experiments) if experiments else None,
    }


def experiment(
    one: Experiment,
    commits: Sequence[str],
    states: Mapping[str, State | Trouble],
    *,
    data: bool = True,
) -> Document:
    """Return an experiment with its commits, the newest first."""
    revs = [entry(commit, states[commit], data=data) for commit in commits]
    revs[0]["name"] = one.name
    return {"revs": revs, "executor": None, "name": one.name}


def in_order(experiments: Iterable[Document]) -> list[Document]:
    """Return experiments as DVC lists them: the newest first, of one second by id."""

    def age(one: Document) -> tuple[str, str]:
        newest = one["revs"][0]
        made = (newest["data"] or {}).get("timestamp")
        return (made, newest["rev"]) if made else ("", "")

    return sorted(experiments, key=age, reverse=True)


def _data(rev: str, state: State, data: bool) -> Document:
    made = state.timestamp
    return {
        "rev": rev,
        # In local time without a zone, as DVC has it.
        "timestamp": None if made is None else datetime.datetime.fromtimestamp(made).isoformat(),
        "params": {path: _values(file) for path, file in state.params.items()},
        "metrics": {path: _values(file) for path, file in state.metrics.items()},
        "deps": _plain(state.deps) if data else {},
        "outs": _plain(state.outs) if data else {},
        "meta": {},
    }


def _plain(told: Mapping[str, Dependency] | Mapping[str, Output]) -> Document:
    if isinstance(told, Later):
        return told.plain
    return {path: one._asdict() for path, one in told.items()}


def _values(file: FileValues) -> Document:
    if file.error is not None:
        return {"error": {"type": file.error.type, "msg": file.error.msg}}
    return {"data": file.values}

"""Which metrics tell of a version: those made of it, and those of the stage that made it."""

from collections.abc import Collection, Mapping
from typing import Any

from mlxkit.comparison.state import Trouble
from mlxkit.comparison.states import States
from mlxkit.lineage.answer import Answer
from mlxkit.lineage.index import Index
from mlxkit.lineage.productions import written_with
from mlxkit.lineage.query import Asked, answer
from mlxkit.metrics.load import keep_metrics
from mlxkit.pipeline.session import Session

Files = Mapping[str, Mapping[str, Any]]


def measured(
    index: Index, found: Answer | None, recipes: Collection[int] | None
) -> tuple[set[str], set[str]]:
    """Return the paths of what was made of the version; and what its stage reported.

    Where nothing was made of the version itself, that is also what was made of what its stage
    wrote beside it, such as predictions.
    """
    if found is None:
        return set(), set()
    after = {path for node in found.downstream() for path in node.paths}
    beside = set(found.artifact.metrics)
    if not after:
        for md5, path, size in written_with(index, found.artifact.md5, recipes):
            told = answer(index, Asked(md5, path, size), upstream=False, recipes=recipes)
            beside.update(path for node in told.downstream() for path in node.paths)
    return after, beside - after


def metrics_of(
    session: Session,
    commit: str,
    after: Collection[str],
    beside: Collection[str],
    folder: str,
    troubles: list[str],
) -> tuple[Files, list[str]]:
    """Return those of the commit's metrics files that are `after` or `beside` the version, these
    last; and which are beside it.
    """
    if not (after or beside):
        return {}, []
    state = States(session).at([commit])[commit]
    if isinstance(state, Trouble):
        troubles.append(state.msg)
        return {}, []
    prefix = f"{folder}/" if folder else ""
    own = {path for path in state.metrics if prefix + path in beside}
    kept = {}
    for path in sorted(state.metrics, key=lambda one: one in own):
        file = state.metrics[path]
        if prefix + path not in after and path not in own:
            continue
        if file.error is not None:
            troubles.append(f"{path}: {file.error.msg}")
            continue
        values = keep_metrics(file.values)
        if isinstance(values, Mapping):
            kept[path] = values
    return kept, [path for path in kept if path in own]

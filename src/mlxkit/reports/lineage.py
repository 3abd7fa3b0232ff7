"""What the main model of a report was made of, kept small enough to be drawn in a comment."""

import os
from collections.abc import Iterable, Sequence

from mlxkit.core.errors import MlxError
from mlxkit.lineage.answer import Answer
from mlxkit.lineage.index import Index, open_index
from mlxkit.lineage.query import Asked, answer
from mlxkit.lineage.recorded import recorded_at, recorded_now
from mlxkit.reports.changes import End, Lineage, Rules
from mlxkit.runs.models import FOLDER

MOST = 24
"""Nodes that are drawn."""
_MODEL_RULES = {"latency": "model", "size": "path", "memory": "model", "security": "path"}


def choose(
    rules: Rules, declared: Iterable[str], leading: Iterable[str], changed: Iterable[str]
) -> list[str]:
    """Return the paths that the report may be about, the likeliest first.

    That is what gates judge as a model, then declared models, then the files of leading metrics,
    which tell how the model was made, too, then changed outputs in a folder of models.
    """
    judged = [
        settings[_MODEL_RULES[kind]]
        for gate in rules.values()
        for rule in gate
        for kind, settings in rule.items()
        if kind in _MODEL_RULES and isinstance(settings.get(_MODEL_RULES[kind]), str)
    ]
    inside = [one for one in changed if FOLDER in one.split("/")[:-1]]
    files = [path for one in leading if (path := one.rpartition(":")[0])]
    return list(dict.fromkeys([*judged, *declared, *files, *inside]))


def lineage_of(root: str, git_root: str, head: End, paths: Sequence[str]) -> Lineage | None:
    """Return the lineage of the first path that something is recorded of; raises MlxError."""
    if not paths:
        return None
    index = open_index(root, git_root, lambda _: None)
    try:
        for path in paths:
            asked = _find(index, root, git_root, head, path)
            if asked is not None:
                whole = answer(index, asked, upstream=True, downstream=False)
                small, left_out = _small(whole)
                return Lineage(path, small, left_out)
    finally:
        index.close()
    return None


def _find(index: Index, root: str, git_root: str, head: End, path: str) -> Asked | None:
    place = os.path.relpath(os.path.join(os.path.realpath(root), path), os.path.realpath(git_root))
    try:
        if head.commit is None:
            return recorded_now(index, place)
        return recorded_at(index, head.commit, place)
    except MlxError:
        return None


def _small(whole: Answer) -> tuple[Answer, int]:
    """Leave out Git's own files, and what is far away."""
    kept = [one for one in whole.nodes if one.kind != "file"]
    nearest = sorted(kept, key=lambda one: one.depth)[:MOST]
    names = {one.md5 for one in nearest}
    edges = tuple(one for one in whole.edges if one.source in names and one.target in names)
    small = whole._replace(nodes=tuple(nearest), edges=edges, notes=())
    return small, len(kept) - len(nearest)

"""Keeps what a rebuild found: a record a stage, with the outcome `rebuild`.

The outputs are not among the record's `outs` but under `rebuild`: who does not know of rebuilds
must not take one for what made a file.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlxkit.pipeline.result import Made
from mlxkit.pipeline.spec import Stage
from mlxkit.proof.compare import Output
from mlxkit.runs.compose import Place, compose
from mlxkit.runs.environment import Environment
from mlxkit.runs.ledger import Batch, append
from mlxkit.runs.record import digest, encode
from mlxkit.runs.repository import ask, identify
from mlxkit.runs.snapshot import Snapshot

REBUILD = "rebuild"


class Collector:
    """The `Recorder` of a rebuild: keeps what is told, and writes nothing by itself."""

    def __init__(self) -> None:
        self.made: list[Made] = []

    def starting(self, stage: Stage, *, runs: bool) -> None:
        pass

    def record(self, made: Made) -> str | None:
        self.made.append(made)
        return None

    def finish(self) -> None:
        pass


def keep(
    git_root: str,
    where: Place,
    commit: str,
    made: Sequence[Made],
    outputs: Sequence[Output],
    environments: Mapping[str, Environment | None],
) -> dict[str, str]:
    """Append the records; return their ids by stage. Raises MlxError, OSError."""
    who = identify(git_root)
    tree = ask(git_root, "rev-parse", f"{commit}^{{tree}}").decode().strip()
    snapshot = Snapshot(commit, commit, tree, dirty=False)
    records: dict[str, bytes] = {}
    ids = {}
    for one in made:
        name = one.stage.address(where.root)
        env = environments.get(one.stage.key)
        plain = compose(one, where, snapshot, who.name, env.digest if env else None)
        told = {"commit": commit, "outcome": one.outcome, "outs": _told(name, outputs)}
        data = encode(replace(plain, outcome=REBUILD, outs=(), extra={REBUILD: told}))
        ids[name] = digest(data)
        records[ids[name]] = data
    contents = {one.digest: one.content for one in environments.values() if one is not None}
    if records:
        append(git_root, [Batch(commit, records, f"rebuild of {commit[:12]}")], contents, who)
    return ids


def _told(stage: str, outputs: Sequence[Output]) -> list[dict[str, Any]]:
    return [
        {"path": one.path, "recorded": one.recorded, "md5": one.rebuilt, "verdict": one.verdict}
        for one in outputs
        if one.stage == stage
    ]


def place_of(root: str, top: str) -> Place:
    """Return project and repository as `keep` wants them."""
    return Place(os.path.normpath(root), os.path.normpath(top))

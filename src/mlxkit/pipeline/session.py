"""The parts that work on one project's pipeline, wired together; built by `project.py`."""

from dataclasses import dataclass, field
from typing import Protocol

from mlxkit.pipeline.commit import Committer
from mlxkit.pipeline.declared import Declared
from mlxkit.pipeline.gitignore import IgnoreFiles
from mlxkit.pipeline.graph import Graph
from mlxkit.pipeline.locks import Locks
from mlxkit.pipeline.rundir import RunDir
from mlxkit.pipeline.spec import Entry, Stage
from mlxkit.pipeline.workspace import Workspace
from mlxkit.store.state import State
from mlxkit.tools.dvc_delegate import Delegate
from mlxkit.tools.dvclock import PathLocks, RepoLock


class Saved(Protocol):
    """Something learnt that is worth keeping for the next command."""

    def save(self) -> None: ...


@dataclass(slots=True)
class Session:
    """One project, opened to change it."""

    root: str
    git_root: str | None
    declared: Declared
    graph: Graph
    state: State
    parses: Saved
    workspace: Workspace
    locks: Locks
    ignores: IgnoreFiles
    committer: Committer
    delegate: Delegate
    repo_lock: RepoLock
    path_locks: PathLocks
    rundir: RunDir
    autostage: bool
    touched: set[str] = field(default_factory=set)
    """Files of Git's that the run wrote."""

    def delegated(self, stage: Stage) -> bool:
        """Tell whether DVC itself must judge and commit this stage."""
        return bool(stage.delegated) or is_legacy(self.locks.entry(stage))


def is_legacy(entry: Entry | None) -> bool:
    """Tell whether an entry has digests of DVC 2, or versions of a cloud, which DVC must read."""
    items = [*(entry or {}).get("deps", ()), *(entry or {}).get("outs", ())]
    return any(
        ("md5" in one and "hash" not in one) or "files" in one or "cloud" in one for one in items
    )

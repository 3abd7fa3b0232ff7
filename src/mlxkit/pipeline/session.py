"""The parts that work on one project's pipeline, wired together; built by `project.py`.

A command that only looks pays for a `Session`; what a run needs besides is in `RunSession`, and
its modules are imported only then.
"""

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.declared import Declared
from mlxkit.pipeline.graph import Graph
from mlxkit.pipeline.locks import Locks
from mlxkit.pipeline.plan import Reason, why
from mlxkit.pipeline.spec import Entry, Stage
from mlxkit.pipeline.workspace import Workspace
from mlxkit.store.state import State

if TYPE_CHECKING:
    from mlxkit.pipeline.claims import Claims
    from mlxkit.pipeline.commit import Committer
    from mlxkit.pipeline.gitignore import IgnoreFiles
    from mlxkit.pipeline.result import Recorder
    from mlxkit.pipeline.rundir import RunDir
    from mlxkit.tools.dvc_delegate import Delegate
    from mlxkit.tools.dvc_path_locks import PathLocks
    from mlxkit.tools.dvclock import RepoLock


class Saved(Protocol):
    """Something learnt that is worth keeping for the next command."""

    def save(self) -> None: ...


class Environments(Protocol):
    """What is known of the environments that stages with `meta: {mlx: {env: true}}` run in."""

    def changes(self, stage: Stage, entry: Entry) -> list[tuple[str, str]]: ...
    def may_restore(self, stage: Stage, entry: Entry) -> bool: ...
    def starting(self, stage: Stage) -> None: ...
    def made(self, stage: Stage, entry: Entry) -> None: ...


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Session:
    """One project, opened to look at."""

    root: str
    git_root: str | None
    declared: Declared
    graph: Graph
    state: State
    parses: Saved
    workspace: Workspace
    locks: Locks
    environments: Environments | None = None
    """None where no stage asks for its environment."""
    _delegate: "Delegate | None" = None

    @property
    def delegate(self) -> "Delegate":
        """DVC itself, for what is left to it."""
        if self._delegate is None:
            from mlxkit.tools.dvc_delegate import Delegate
            from mlxkit.tools.dvclock import RepoLock

            self._delegate = Delegate(self.root, RepoLock(self.root), wait=0)
        return self._delegate

    def delegated(self, stage: Stage) -> bool:
        """Tell whether DVC itself must judge and commit this stage."""
        return bool(stage.delegated) or is_legacy(self.locks.entry(stage))

    def why(
        self,
        stage: Stage,
        *,
        allow_missing: bool = False,
        upstream_outs: dict[str, str | None] | None = None,
    ) -> list[Reason]:
        """List the reasons why the stage is not up to date; arguments as those of `plan.why`."""
        changes = self.env_changes(stage)
        if self.delegated(stage):
            if stage.lock_path in self.locks.mended:  # as it is on disk, DVC cannot read it
                what = f"must be mended before DVC can judge stage '{stage.name}'"
                where = os.path.relpath(stage.lock_path)
                raise ProjectError(what, where=where, hint="run: mlx repro")
            found = [Reason(*one) for one in self.delegate.why(stage.file, stage.name)]
            return found + [Reason("env-changed", *one) for one in changes]
        return why(
            stage,
            self.locks.entry(stage),
            self.workspace,
            allow_missing=allow_missing,
            upstream_outs=upstream_outs,
            env_changes=changes,
        )

    def env_changes(self, stage: Stage) -> list[tuple[str, str]]:
        """Return what changed in the stage's environment since its outputs were made."""
        if not stage.env or self.environments is None or stage.frozen:
            return []
        entry = self.locks.entry(stage)
        return self.environments.changes(stage, entry) if entry else []


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class RunSession(Session):
    """One project, opened to change it."""

    ignores: "IgnoreFiles"
    committer: "Committer"
    repo_lock: "RepoLock"
    path_locks: "PathLocks"
    rundir: "RunDir"
    autostage: bool
    recorder: "Recorder | None" = None
    """Who keeps records of runs; None where nothing keeps them (no Git)."""
    claims: "Claims | None" = None
    """Who sees to it that of several runs only one makes the same thing; None: there is one."""
    touched: set[str] = field(default_factory=set)
    """Files of Git's that the run wrote."""


def is_legacy(entry: Entry | None) -> bool:
    """Tell whether an entry has digests of DVC 2, or versions of a cloud, which DVC must read."""
    items = [*(entry or {}).get("deps", ()), *(entry or {}).get("outs", ())]
    return any(
        ("md5" in one and "hash" not in one) or "files" in one or "cloud" in one for one in items
    )

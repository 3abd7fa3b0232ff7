"""Decides what must happen to one stage, when everything before it is settled."""

import os
from dataclasses import dataclass, field
from enum import Enum

from mlxkit.core.errors import MlxError
from mlxkit.pipeline.commit import Inputs
from mlxkit.pipeline.graph import Graph
from mlxkit.pipeline.options import Options
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.runcache import inputs_of
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Entry, Stage, entry_items
from mlxkit.tools import git


class Action(Enum):
    """What a judgement asks for."""

    NOTHING = "nothing"
    RUN = "run"
    COMMIT = "commit"
    """Frozen stages and data sources: what is there is checked and recorded, nothing is run."""
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The action and its reasons; `kept` is the entry to restore, None where DVC knows it."""

    action: Action
    reasons: tuple[Reason, ...] = ()
    inputs: Inputs = field(default_factory=lambda: Inputs({}, {}))
    kept: Entry | None = None


@dataclass(slots=True)
class Judge:
    """Judges stages of one run."""

    session: RunSession
    graph: Graph
    options: Options
    _tracked: set[str] | None = None

    def judge(self, stage: Stage, forced_by: str | None, would_change: str | None) -> Judgement:
        """Judge `stage`; raises MlxError where it cannot run.

        `forced_by` names an upstream stage under --force-downstream; `would_change` one that a
        dry run has found to run.
        """
        if self.session.delegated(stage):
            self.session.workspace.lay_out(stage, outs=True)  # DVC looks at the files itself
        reasons = self._reasons(stage, forced_by)
        if not reasons and would_change is not None and not stage.frozen:
            reasons = [Reason("upstream", would_change)]
        if not reasons:
            return Judgement(Action.NOTHING)
        forced = self.options.force or forced_by is not None
        if self.options.pulls and not forced and self._pulled(stage):
            return Judgement(Action.NOTHING)
        if stage.is_source or stage.frozen:
            self.session.workspace.lay_out(stage, outs=True)
            return Judgement(Action.COMMIT, tuple(reasons), self._as_is(stage))
        if self.session.delegated(stage):
            # DVC does not know in which environment it made what it keeps.
            free = not forced and would_change is None and not stage.env
            known = free and self._dvc_knows(stage)
            return Judgement(Action.RESTORE if known else Action.RUN, tuple(reasons))
        if would_change is not None:
            # What it will read is not there yet; whether the result is known cannot be told.
            return Judgement(Action.RUN, tuple(reasons))
        if self.options.pulls:
            self._pull_missing_deps(stage)
        self._refuse_tracked(stage)
        inputs = self.session.committer.inputs(stage)
        kept = None if forced else self.kept(stage, inputs)
        action = Action.RESTORE if kept is not None else Action.RUN
        return Judgement(action, tuple(reasons), inputs, kept)

    def _why(self, stage: Stage, *, allow_missing: bool) -> list[Reason]:
        outs = self._upstream_outs(stage) if allow_missing else None
        return self.session.why(stage, allow_missing=allow_missing, upstream_outs=outs)

    def _reasons(self, stage: Stage, forced_by: str | None) -> list[Reason]:
        if self.options.force:
            return [Reason("forced", "--force")]
        if forced_by is not None:
            return [Reason("upstream", forced_by)]
        return self._why(stage, allow_missing=self.options.allow_missing)

    def _upstream_outs(self, stage: Stage) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for key in self.graph.needs[stage.key]:
            upstream = self.session.graph.stages[key]
            recorded = entry_items(self.session.locks.entry(upstream), "outs")
            found.update({out.abs: recorded.get(out.path, {}).get("md5") for out in upstream.outs})
        return found

    def _as_is(self, stage: Stage) -> Inputs:
        missing = [out.path for out in stage.outs if not os.path.lexists(out.abs)]
        if missing and not self.options.dry and not (stage.is_source and stage.delegated):
            address = stage.address(os.getcwd())
            if stage.frozen and stage.cmd:
                raise MlxError(
                    f"'{missing[0]}' is missing, and the stage is frozen",
                    hint=f"fetch it with: mlx pull {address}   (or: mlx unfreeze {address})",
                )
            raise MlxError(
                f"'{missing[0]}' is missing, and no command makes it",
                hint=f"fetch it with: mlx pull {address}",
            )
        if stage.is_source or self.options.dry:
            return Inputs({}, {})
        return self.session.committer.inputs(stage)

    def kept(self, stage: Stage, inputs: Inputs) -> Entry | None:
        """Find what the stage made from these inputs earlier: in the lock, or the run-cache."""
        committer = self.session.committer
        if not committer.runcache.keeps(stage):
            return None
        wanted = committer.expected(stage, inputs)
        locked = self.session.locks.entry(stage)
        whole = locked is not None and all("md5" in out for out in locked.get("outs") or ())
        if locked is not None and whole and inputs_of(locked) == inputs_of(wanted):
            # DVC looks here first, and then nowhere else, also under --no-run-cache.
            if self.session.env_changes(stage):
                return self._from_run_cache(stage, wanted)
            self._fetch(locked)
            return locked if committer.can_restore(stage, locked) else None
        theirs = self.session.locks.theirs(stage)
        fits = theirs is not None and inputs_of(theirs) == inputs_of(wanted)
        if theirs is not None and fits and self._can_use(stage, theirs):
            return theirs
        return self._from_run_cache(stage, wanted)

    def _from_run_cache(self, stage: Stage, wanted: Entry) -> Entry | None:
        if not self.options.run_cache:
            return None
        found = self.session.committer.runcache.find(wanted)
        return next((kept for kept in found if self._can_use(stage, kept)), None)

    def _can_use(self, stage: Stage, kept: Entry) -> bool:
        if not self._env_allows(stage, kept):
            return False
        self._fetch(kept)
        return self.session.committer.can_restore(stage, kept)

    def _env_allows(self, stage: Stage, kept: Entry) -> bool:
        """Tell whether a kept result may stand for a run: one of another environment may not."""
        environments = self.session.environments
        return not stage.env or environments is None or environments.may_restore(stage, kept)

    def _dvc_knows(self, stage: Stage) -> bool:
        return self.session.delegate.can_restore(
            stage.file,
            stage.name,
            run_cache=self.options.run_cache,
            pull=self.options.pulls,
        )

    def _fetch(self, kept: Entry) -> None:
        if not self.options.pulls:
            return
        store = self.session.committer.store
        known = [out["md5"] for out in kept.get("outs", ()) if "md5" in out]
        absent = [md5 for md5 in known if not store.whole(md5)]
        if absent:
            try:
                self.session.delegate.fetch_objects(absent)
            except MlxError:
                pass  # then the stage runs

    def _pulled(self, stage: Stage) -> bool:
        """Bring back what is only missing; tell whether that was all."""
        if self._why(stage, allow_missing=True):
            return False
        try:
            self.session.delegate.pull([stage.address(os.getcwd())])
        except MlxError:
            return False
        self.session.workspace.forget()
        return True

    def _pull_missing_deps(self, stage: Stage) -> None:
        content = self.session.workspace.content
        absent = [
            dep.path
            for dep in stage.deps
            if not os.path.lexists(dep.abs) and content(dep.abs) is None
        ]
        if absent:
            self.session.delegate.pull(
                [os.path.relpath(os.path.join(stage.wdir, path)) for path in absent]
            )
            self.session.workspace.forget()

    def _refuse_tracked(self, stage: Stage) -> None:
        """Refuse an output that Git tracks: it cannot be in the cache and in Git."""
        if self.session.git_root is None:
            return
        if self._tracked is None:
            outs = [
                out.abs for one in self.session.declared.stages for out in one.outs if out.cache
            ]
            self._tracked = git.tracked(self.session.git_root, outs)
        for out in stage.outs:
            if out.cache and out.abs in self._tracked:
                raise MlxError(
                    f"output '{out.path}' is tracked by Git",
                    hint=f"run: git rm -r --cached {out.path}   "
                    "(or declare it with `cache: false`)",
                )

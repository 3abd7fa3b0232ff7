"""States of revisions: of the working tree as it is, of commits from memory or read from Git."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlxkit.comparison.declaring import Declaring
from mlxkit.comparison.memory import Memory
from mlxkit.comparison.metrics import gather_metrics
from mlxkit.comparison.params import gather_params
from mlxkit.comparison.source import Source, of_workspace
from mlxkit.comparison.state import Dependency, Output, State, Trouble
from mlxkit.comparison.values import Parsed
from mlxkit.core.errors import MlxError, ProjectError
from mlxkit.pipeline.session import Session

WORKSPACE = "workspace"
NO_PROJECT = "NotDvcRepoError"
"""The type of trouble of a commit that is from before the project, or from beside it."""
_MANY = 100
"""Commits that are read at a time: what was read is remembered also when a long look ends early."""


class NoProject(ProjectError):
    """A commit does not have the project's folder."""


class States:
    """What revisions of one project declare and hold."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._parsed = Parsed()
        self._reader: Declaring | None = None

    def workspace(self) -> State:
        """Return the state of the working tree."""
        with Memory(self._session.root, self._key()) as memory:
            self._parsed.memory = memory
            try:
                state = build(self.source(WORKSPACE), WORKSPACE, None)
            finally:
                self._parsed.memory = None
            memory.save()
        return state

    def at(self, commits: Sequence[str]) -> dict[str, State | Trouble]:
        """Return the states of commits, by their ids; Trouble for one that cannot be read.

        Raises MlxError where Git cannot be asked.
        """
        found: dict[str, State | Trouble] = {}
        with Memory(self._session.root, self._key()) as memory:
            found.update(memory.recall(commits))
            new = [one for one in dict.fromkeys(commits) if one not in found]
            for start in range(0, len(new), _MANY):
                for commit, state, is_final in self._read(new[start:][:_MANY]):
                    found[commit] = state
                    if is_final:
                        memory.keep(commit, state)
                memory.save()
        return {commit: found[commit] for commit in commits}

    def load(self, commits: Sequence[str]) -> None:
        """Read many commits at once, for `source`; raises MlxError where Git cannot be asked."""
        if commits:
            self._declaring().load(commits)

    def source(self, revision: str) -> Source:
        """Return a commit, or `workspace`, to be asked for single files.

        Raises MlxError, NoProject for a commit from before the project.
        """
        if revision == WORKSPACE:
            return of_workspace(self._session, self._parsed)
        reader = self._declaring()
        reader.load([revision])
        if not reader.commits.has_project(revision):
            raise NoProject(f"commit {revision[:7]} does not have the project")
        return reader.source(revision)

    def time(self, commit: str) -> int:
        """Return when a commit was made, in seconds since 1970."""
        self._declaring().commits.load([commit])
        return self._declaring().commits.time(commit)

    def _read(self, commits: Sequence[str]) -> Iterator[tuple[str, State | Trouble, bool]]:
        """Yield the states of commits, and whether each will be the same for ever."""
        reader = self._declaring()
        reader.load(commits)
        sources: list[tuple[str, Source]] = []
        for commit in commits:
            try:
                sources.append((commit, self.source(commit)))
            except NoProject as error:
                yield commit, Trouble(NO_PROJECT, error.message), True
            except MlxError as error:
                yield commit, Trouble(type(error).__name__, str(error)), False
        reader.prefetch(sources)
        for commit, source in sources:
            state = build(source, commit, reader.commits.time(commit))
            yield commit, state, not source.content.missing

    def _declaring(self) -> Declaring:
        if self._reader is None:
            if self._session.git_root is None:
                raise ProjectError(
                    "without Git there are no revisions", hint="see: dvc config core.no_scm"
                )
            self._reader = Declaring(self._session, self._session.git_root, self._parsed)
        return self._reader

    def _key(self) -> str:
        """Return what the states depend on besides the commits."""
        from mlxkit.tools import dvc

        session = self._session
        folder = os.path.relpath(session.root, session.git_root or session.root)
        return repr((dvc.signature(), session.declared.config.get("parsing"), folder))


def build(source: Source, rev: str, timestamp: int | None) -> State:
    """Return the state of a source."""
    deps: dict[str, Dependency] = {}
    outs: dict[str, Output] = {}
    for stage, recorded in source.declares.stages:
        for dep in stage.deps:
            if not dep.path.startswith("ds://"):
                item = recorded["deps"].get(dep.path, {})
                deps[source.relative(dep.abs)] = Dependency(*_about(item))
        for out in stage.outs:
            if not (out.metric or out.plot):
                item = recorded["outs"].get(out.path, {})
                outs[source.relative(out.abs)] = Output(
                    *_about(item), use_cache=out.cache, is_data_source=stage.is_source
                )
    return State(rev, timestamp, gather_params(source), gather_metrics(source), deps, outs)


def _about(item: Mapping[str, Any]) -> tuple[str | None, int | None, int | None]:
    digest = item.get("md5") or item.get(item.get("hash") or "") or item.get("etag")
    return digest, item.get("size"), item.get("nfiles")

"""The revisions of a project that gates look at: what is judged, and what it is compared with."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mlxkit.comparison.commits import Commits
from mlxkit.comparison.content import Cached, Content, InCommit
from mlxkit.comparison.revisions import resolve
from mlxkit.comparison.source import Source
from mlxkit.comparison.states import WORKSPACE, States
from mlxkit.core.errors import MlxError, ProjectError, UsageError
from mlxkit.gates.data import Recorded
from mlxkit.gates.declared import Shape, Shapes, code_of, made_of, outs_of, shape_of
from mlxkit.gates.subject import Revision
from mlxkit.gates.verdict import Unjudged
from mlxkit.pipeline.session import Session
from mlxkit.settings.load import FILE, settings, settings_of
from mlxkit.tools import dvc


class Revisions:
    """The revisions of one project, each read once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._states = States(session)
        self._known: dict[str, Revision] = {}
        folder = os.path.relpath(session.root, session.git_root or session.root)
        self._folder = "" if folder == "." else folder
        self._revision = partial(Revision, place_in_git=(session.git_root, self._folder))
        config = session.declared.config.get("parsing")
        self._shapes = Shapes(session.root, repr((dvc.signature(), config, folder)))

    def judged(self, rev: str | None) -> Revision:
        """Return what is to be judged: a commit, or the working tree; raises UsageError."""
        if rev is not None:
            return self._read(rev, self.commit(rev), judged=True)
        source = self._states.source(WORKSPACE)
        name = "the working tree"
        recorded = self._recorded(lambda: source)
        return self._revision(
            shape_of(source), source.content, name, None, judged=True, recorded=recorded
        )

    def at(self, rev: str) -> Revision:
        """Return a revision to compare with; raises Unjudged where there is none."""
        if rev not in self._known:
            try:
                self._known[rev] = self._read(rev, self.commit(rev), judged=False)
            except UsageError as error:
                raise Unjudged(f"{error.message}; a shallow clone? run: git fetch") from None
            except MlxError as error:
                raise Unjudged(f"{rev}: {error}") from None
        return self._known[rev]

    def commit(self, rev: str) -> str:
        """Return the id of a commit; raises UsageError where there is none of that name."""
        git_root = self._session.git_root
        if git_root is None:
            raise UsageError("without Git there are no revisions")
        return resolve(git_root, [rev], self._folder)[0]

    def settings(self, subject: Revision) -> Mapping[str, Any]:
        """Return what the revision's own `mlx.yaml` says; raises ProjectError."""
        if subject.commit is None:
            return settings(self._session.root)
        try:
            data = subject.content.read(FILE)
        except FileNotFoundError:
            data = b""
        except IsADirectoryError:
            raise ProjectError("is a folder", where=f"{subject.name}:{FILE}") from None
        return settings_of(data, f"{subject.name}:{FILE}", self._session.root)

    def _read(self, rev: str, commit: str, *, judged: bool) -> Revision:
        shape = self._shapes.get(commit)
        if shape is None:
            source = self._states.source(commit)
            shape = shape_of(source)
            if not source.content.missing:
                self._shapes.put(commit, shape)
        recorded = self._recorded(lambda: self._states.source(commit))
        content = self._content(shape, commit)
        name = rev[:7] if rev == commit else rev
        return self._revision(shape, content, name, commit, judged=judged, recorded=recorded)

    def _recorded(self, source: Callable[[], Source]) -> Callable[[str], Recorded]:
        def find(shown: str) -> Recorded:
            found, workspace = source(), self._session.workspace
            recorded = Recorded(self._session.root, workspace, found.content, outs_of(found), shown)
            recorded.made, recorded.code = made_of(found), code_of(found)
            return recorded

        return find

    def _content(self, shape: Shape, commit: str) -> Content:
        assert self._session.git_root is not None  # or there would be no commit
        commits = Commits(self._session.git_root, self._folder)
        commits.load([commit])
        cached = {
            path: Cached(out.md5, out.is_dir) for path, out in shape.outs.items() if out.cached
        }
        return Content(InCommit(commits, commit), cached, self._session.workspace.store)

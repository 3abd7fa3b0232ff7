"""What is judged: the metrics files of the working tree or a commit, as their lock records them."""

import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from mlxkit.comparison.commits import Commits
from mlxkit.comparison.content import Cached, Content, InCommit
from mlxkit.comparison.revisions import resolve
from mlxkit.comparison.source import Source
from mlxkit.comparison.states import WORKSPACE, States
from mlxkit.comparison.values import Unparsed, parse
from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.gates.bench import Data, File
from mlxkit.gates.data import Recorded, differs
from mlxkit.gates.shape import Out, Shape, Shapes, above, code_of, made_of, outs_of, shape_of
from mlxkit.gates.verdict import Unjudged
from mlxkit.pipeline.session import Session
from mlxkit.settings.load import FILE, settings, settings_of
from mlxkit.store.tree import tree_bytes
from mlxkit.tools import dvc, git


class Revision:
    """A revision as a `bench.Subject`; `commit` is None for the working tree."""

    def __init__(
        self,
        shape: Shape,
        content: Content,
        name: str,
        commit: str | None,
        *,
        judged: bool,
        recorded: Callable[[str], Recorded],
        place_in_git: tuple[str | None, str],
    ) -> None:
        self.name = name
        self.commit = commit
        self.judged = judged
        self.content = content
        self._shape = shape
        self._recorded = recorded
        self.place_in_git = place_in_git
        self._known: dict[str, File] = {}
        self._folders: dict[str, list[tuple[str, str]]] = {}

    def files(self) -> Sequence[str]:
        """Return the paths of its metrics files, from the project's root."""
        return self._shape.files

    def read(self, path: str) -> File:
        """Return a metrics file; raises Unjudged for what was never made or cannot be parsed.

        Raises MlxError for the working tree's files that are not what the lock records, and for
        data that are not here: then there is nothing to judge yet.
        """
        if path not in self._known:
            data = self._data(path)
            md5 = md5_bytes(data)
            try:
                values = parse(path, data)
            except Unparsed as error:
                why = f"{self.place(path)} cannot be read: {error}"
                raise Unjudged(why, {self.key(path): md5}) from None
            self._known[path] = File(values, md5)
        return self._known[path]

    def data(self, path: str) -> Data:
        """Return a recorded file or folder; raises Unjudged for what is not recorded.

        Raises MlxError as `read` does.
        """
        recorded = self.recorded
        return recorded.in_work_tree(path) if self.commit is None else recorded.in_commit(path)

    def changed_since(self, other: "Revision") -> set[str]:
        """Return the paths, of Git and of recorded outputs, that differ from another's.

        Raises Unjudged where Git cannot tell.
        """
        git_root, folder = self.place_in_git
        assert git_root is not None  # or there would be no other
        ids = [one for one in (other.commit, self.commit) if one]
        try:
            told = git.run(git_root, "diff", "--name-only", "--no-renames", "-z", *ids, "--", ".",
                           settings=("diff.noprefix=false",))  # fmt: skip
        except git.GitError as error:
            raise Unjudged(f"what changed since {other.name} is not known: {error.said}") from None
        start = folder + "/" if folder else ""
        names = (os.fsdecode(one) for one in told.split(b"\0") if one)
        paths = {name.removeprefix(start) for name in names if name.startswith(start)}
        return paths | self.recorded.changed_since(other.recorded)

    def digests(self) -> Mapping[str, str | None]:
        """Return what is recorded of all outputs and data: md5 by path."""
        return self.recorded.digests()

    def made(self) -> list[str | None]:
        """Return the md5 of all that stages wrote."""
        return self.recorded.made

    def code(self) -> list[str]:
        """Return the Python files that stages depend on."""
        return self.recorded.code

    @cached_property
    def recorded(self) -> Recorded:
        """Return all that is recorded of the revision: more than its metrics, so read late."""
        return self._recorded("" if self.judged else f"{self.name}:")

    def place(self, path: str) -> str:
        """Return how people call one of its files."""
        return path if self.judged else f"{self.name}:{path}"

    def key(self, path: str) -> str:
        """Return the name of one of its files as evidence."""
        return path if self.judged else f"{self.commit or WORKSPACE}:{path}"

    def _data(self, path: str) -> bytes:
        """Return a file's bytes, checked against the lock."""
        place = above(path, self._shape.outs)
        out = self._shape.outs[place] if place is not None else None
        if out is not None and out.md5 is None:
            raise Unjudged(f"nothing is recorded of {self.place(path)} yet: mlx repro")
        try:
            data = self.content.read(path)
        except FileNotFoundError:
            if self.commit is None and not self.content.missing:
                raise differs(path, "is not there") from None
            what = f"{self.place(path)} is not here: its content is not in the cache"
            raise MlxError(what, hint="first run: mlx pull") from None
        except OSError as error:
            why = error.strerror or str(error)
            raise MlxError(f"{self.place(path)} cannot be read: {why}") from None
        if place is not None and out is not None and not self._fits(data, place, out):
            if self.commit is None:
                raise differs(path, "is not what the lock records")
            raise Unjudged(f"{self.place(path)} is not what the lock there records")
        return data

    def _fits(self, data: bytes, place: str, out: Out) -> bool:
        if out.is_dir:
            return md5_bytes(tree_bytes(self._entries(place))) + ".dir" == out.md5
        plain = data.replace(b"\r\n", b"\n") if out.legacy else data
        return md5_bytes(plain) == out.md5

    def _entries(self, folder: str) -> list[tuple[str, str]]:
        if folder not in self._folders:
            self._folders[folder] = [
                (posixpath.relpath(one, folder), md5_bytes(self.content.read(one)))
                for one in self.content.files_below(folder) or ()
            ]
        return self._folders[folder]


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
        return resolve(git_root, [rev])[0]

    def settings(self, subject: Revision) -> Mapping[str, Any]:
        """Return what the revision's own `mlx.yaml` says; raises ProjectError."""
        if subject.commit is None:
            return settings(self._session.root)
        try:
            data = subject.content.read(FILE)
        except FileNotFoundError:
            data = b""
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
        return self._revision(shape, content, rev, commit, judged=judged, recorded=recorded)

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

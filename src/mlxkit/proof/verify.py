"""Checks what is recorded, in the working tree or at a revision; needs no data and runs nothing."""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from mlxkit.core.errors import ProjectError
from mlxkit.data.history.revision import Revisions
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Stage, inside_any
from mlxkit.proof.checks import Checker, orphans
from mlxkit.proof.recorded import contradicted
from mlxkit.proof.view import UNCHECKED, Problem, View
from mlxkit.proof.views import CommitView, Listing, WorkView
from mlxkit.tools import git

More = Callable[[list[Stage], View], Iterable[Problem]]
"""A further check of the same stages."""


class Verdict(NamedTuple):
    """What was found; `commit` is None for the working tree."""

    stages: int
    problems: tuple[Problem, ...]
    unchecked: tuple[Problem, ...] = ()
    commit: str | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def plus(self, problems: Iterable[Problem]) -> "Verdict":
        """Return it with what else was found."""
        told = list(problems)
        wrong = tuple(one for one in told if one.kind != UNCHECKED)
        unknown = tuple(one for one in told if one.kind == UNCHECKED)
        return self._replace(
            problems=(*self.problems, *wrong), unchecked=(*self.unchecked, *unknown)
        )


def verify_work_tree(session: Session, more: More | None = None) -> Verdict:
    """Check the working tree's files; raises ProjectError where one that declares is invalid."""
    git_root = require_git(session)
    view = WorkView(session, git_root)
    stages = session.declared.stages
    found = []
    for path, own in _by_lock(stages).items():
        try:
            for stage in own:
                session.locks.entry(stage)
        except ProjectError as error:
            found.append(Problem("lock", "", path, error.message))
            continue
        if path in session.locks.mended:
            found.append(Problem("lock", "", path, "it ends in the middle: a writer was killed"))
        found += orphans(path, session.locks.base(path), own, os.getcwd())
    found += _uncommitted(session, view.listing)
    return _checked(session, stages, view, found, more)


def verify_revision(session: Session, rev: str, more: More | None = None) -> Verdict:
    """Check a commit; raises UsageError where `rev` is none, ProjectError as above."""
    git_root = require_git(session)
    revisions = Revisions(session)
    view = CommitView(session, git_root, revisions, rev)
    stages = list(stages_at(session, revisions, view))
    found = []
    for path, own in _by_lock(stages).items():
        try:
            found += orphans(path, view.lock(path), own, os.getcwd())
        except ProjectError as error:
            found.append(Problem("lock", "", path, error.message))
    view.prepare(
        path
        for stage in stages
        for path in (
            *(dep.abs for dep in stage.deps),
            *(one.abs for one in stage.params),
            *(out.abs for out in stage.outs if not out.cache),
        )
    )
    return _checked(session, stages, view, found, more)._replace(commit=revisions.commit(rev))


def stages_at(session: Session, revisions: Revisions, view: CommitView) -> Iterator[Stage]:
    """Yield the stages of a commit; raises ProjectError."""
    outs: set[str] = set()
    files = revisions.declaring(view.tree)
    revisions.read([view.tree.files[path] for path in files])
    for path in files:
        if inside_any(os.path.join(session.root, path), outs):
            continue  # a folder that a stage writes is data, whatever lies in it
        for stage in revisions.stages(view.tree, path):
            outs.update(out.abs for out in stage.outs)
            yield stage


def require_git(session: Session) -> str:
    """Return the repository's top; raises ProjectError without Git."""
    if session.git_root is None:
        raise ProjectError(
            "without Git there is nothing to verify", hint="see: dvc config core.no_scm"
        )
    return session.git_root


def _checked(
    session: Session, stages: list[Stage], view: View, found: list[Problem], more: More | None
) -> Verdict:
    broken = {one.path for one in found if one.kind == "lock"}
    whole = [stage for stage in stages if stage.is_source or stage.lock_path not in broken]
    checker = Checker(stages, view, os.getcwd())
    for stage in whole:
        found += checker.stage(stage)
    found += contradicted(session, whole, view.entry)
    if more is not None:
        found += more(whole, view)
    return Verdict(len(stages), ()).plus(_once(found))


def _by_lock(stages: Iterable[Stage]) -> dict[str, list[Stage]]:
    found: dict[str, list[Stage]] = {}
    for stage in stages:
        if stage.name is not None:
            found.setdefault(stage.lock_path, []).append(stage)
    return found


def _once(found: Iterable[Problem]) -> Iterator[Problem]:
    """Leave out that a file is not committed where another stage was told of it."""
    seen = set()
    for one in found:
        if one.kind == "uncommitted":
            if one.path in seen:
                continue
            seen.add(one.path)
        yield one


def _uncommitted(session: Session, listing: Listing) -> Iterator[Problem]:
    """Yield what the stages are declared by or read, and no commit has as it is."""
    stages, here = session.declared.stages, os.getcwd()
    own = {stage.file: "" for stage in stages} | dict.fromkeys(_by_lock(stages), "")
    read: dict[str, str] = {}
    for stage in stages:
        name = stage.address(here)
        paths = [*(one.abs for one in stage.params), *(one.abs for one in stage.deps)]
        for path in [*paths, *(out.abs for out in stage.outs if not out.cache)]:
            read.setdefault(path, name)
    for name in git.changed(listing.git_root):
        path = os.path.join(listing.git_root, name)
        reader = own.get(path, read.get(path))
        while reader is None and (path := os.path.dirname(path)) != listing.git_root:
            reader = read.get(path)
        if reader is not None:
            full = os.path.join(listing.git_root, name)
            yield Problem("uncommitted", reader, full, "it has changes that are not committed")
    params = {one.abs: stage.address(here) for stage in stages for one in stage.params}
    made = {out.abs for stage in stages for out in stage.outs}
    for path, reader in {**params, **own}.items():
        absent = path not in made and os.path.isfile(path) and not listing.below(path)
        if absent and listing.beyond(path) is None:
            yield Problem("uncommitted", reader, path, "Git does not have it")

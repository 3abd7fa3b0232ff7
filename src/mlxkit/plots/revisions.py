"""The revisions that a user names, ready to be read."""

from collections.abc import Sequence

from mlxkit.comparison.commits import Commits
from mlxkit.comparison.revisions import resolve
from mlxkit.comparison.states import WORKSPACE
from mlxkit.data.history.revision import Revisions
from mlxkit.pipeline.session import Session
from mlxkit.plots.source import Commit, Source, WorkingTree
from mlxkit.runs.choose import project_of
from mlxkit.tools import git


def sources(session: Session, named: Sequence[str] | None) -> dict[str, Source]:
    """Return what to read, by the names given; the working tree comes first, as in DVC.

    `named` is None for the working tree alone. A single revision is compared with it, none at
    all is HEAD where files were changed. Raises UsageError for what is no revision, ProjectError
    without Git.
    """
    if named is None:
        return {WORKSPACE: WorkingTree(session)}
    revisions = Revisions(session)
    assert session.git_root is not None
    wanted = list(dict.fromkeys(named))
    if len(wanted) <= 1:
        if not wanted and not revisions.is_empty and git.changed(session.git_root):
            wanted.append("HEAD")
        wanted = [WORKSPACE, *(one for one in wanted if one != WORKSPACE)]
    names = [one for one in wanted if one != WORKSPACE]
    folder = project_of(session.root, session.git_root)
    ids = dict(zip(names, resolve(session.git_root, names, folder), strict=True))
    commits = Commits(session.git_root, folder)
    commits.load(ids.values())
    found: dict[str, Source] = {WORKSPACE: WorkingTree(session)} if WORKSPACE in wanted else {}
    for name, commit in ids.items():
        found[name] = Commit(session, revisions, commits, commit)
    return found

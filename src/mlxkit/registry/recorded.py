"""What a version holds: its path and content by the tag and by the commit, which must agree."""

import os
import shlex
from collections.abc import Sequence

from mlxkit.core.errors import MlxError, UsageError
from mlxkit.data.artifacts import artifact_at, owner
from mlxkit.data.history.revision import Revisions
from mlxkit.pipeline.session import Session
from mlxkit.registry.content import Bring, Content, content_at
from mlxkit.runs.choose import project_of
from mlxkit.versions.find import Chosen


def path_of(session: Session, revisions: Revisions, chosen: Chosen) -> str:
    """Return a version's path: as its tag has it, else as the commit's dvc.yaml declares it.

    Raises UsageError where neither says so, or it is another project's, ProjectError for a
    dvc.yaml that is broken.
    """
    folder = require_own(session, chosen)
    if chosen.path is not None:
        return chosen.path
    tree = revisions.tree(chosen.commit)
    known = artifact_at(tree, chosen.model.name, folder, revisions.declared)
    if known is None or known.path is None:
        name = chosen.model.name.rpartition(":")[2]
        raise UsageError(
            f"nobody says which file {chosen.shown} is: neither its tag, nor dvc.yaml at "
            f"{chosen.commit[:7]}",
            hint=f"declare it for the next version: artifacts: {{{name}: {{path: PATH}}}}",
        )
    return known.path


def require_own(session: Session, chosen: Chosen, again: Sequence[str] = ()) -> str:
    """Return the project's folder; raises UsageError for a model of another one.

    Its paths, gates and remotes are not those of the project here. `again` is the sub-command that
    does there what was asked for.
    """
    assert session.git_root is not None
    folder = project_of(session.root, session.git_root)
    whose = owner(session.git_root, chosen.commit, chosen.model.name, folder)
    if whose != folder:
        place = os.path.relpath(os.path.join(session.git_root, whose))
        raise UsageError(
            f"'{chosen.model.name}' is a model of another project of this repository",
            hint="name the project: "
            + shlex.join(["mlx", "-C", place, "model", *(again or ("show", chosen.shown))]),
        )
    return folder


def content_of(
    session: Session, revisions: Revisions, chosen: Chosen, bring: Bring | None = None
) -> Content:
    """Return what a version is, as its commit records it; `bring` gets what must be read for that.

    Raises UsageError for what is not tracked there, MlxError where the tag says something else.
    """
    path = path_of(session, revisions, chosen)
    content = content_at(session, revisions, chosen.commit, path, bring)
    told = chosen.version.event.told.get("md5") if chosen.version else None
    if told is not None and told != content.md5:
        raise MlxError(
            f"the tag of {chosen.shown} is about other bytes than its commit records: "
            f"{told} there, {content.md5} here",
            hint="was the tag moved? see: git show-ref --tags -d; git verify-tag TAG",
        )
    return content

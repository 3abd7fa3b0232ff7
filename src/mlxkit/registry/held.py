"""What a version holds: its path and content by the tag and by the commit, which must agree."""

from mlxkit.core.errors import MlxError, UsageError
from mlxkit.data.history.revision import Revisions
from mlxkit.pipeline.session import Session
from mlxkit.registry.artifacts import artifact_at
from mlxkit.registry.content import Content, content_at
from mlxkit.runs.choose import project_of
from mlxkit.versions.find import Chosen


def path_of(session: Session, revisions: Revisions, chosen: Chosen) -> str:
    """Return a version's path: as its tag has it, else as the commit's dvc.yaml declares it.

    Raises UsageError where neither says so.
    """
    told = chosen.version.event.told.get("path") if chosen.version else None
    if told:
        return str(told)
    assert session.git_root is not None
    folder = project_of(session.root, session.git_root)
    known = artifact_at(revisions.tree(chosen.commit), chosen.model.name, folder)
    if known is None or known.path is None:
        name = chosen.model.name.rpartition(":")[2]
        raise UsageError(
            f"nobody says which file {chosen.shown} is: neither its tag, nor dvc.yaml at "
            f"{chosen.commit[:7]}",
            hint=f"declare it for the next version: artifacts: {{{name}: {{path: PATH}}}}",
        )
    return known.path


def content_of(session: Session, revisions: Revisions, chosen: Chosen) -> Content:
    """Return what a version is, as its commit records it.

    Raises UsageError for what is not tracked there, MlxError where the tag says something else.
    """
    content = content_at(session, revisions, chosen.commit, path_of(session, revisions, chosen))
    told = chosen.version.event.told.get("md5") if chosen.version else None
    if told is not None and told != content.md5:
        raise MlxError(
            f"the tag of {chosen.shown} is about other bytes than its commit records: "
            f"{told} there, {content.md5} here",
            hint="was the tag moved? see: git show-ref --tags -d; git verify-tag TAG",
        )
    return content

"""What registering, promoting and rolling back have in common."""

from collections.abc import Mapping

from mlxkit.audit import log
from mlxkit.audit.event import Kind
from mlxkit.core.errors import MlxError, ProjectError
from mlxkit.pipeline.session import Session
from mlxkit.registry.content import Content
from mlxkit.registry.tag import Tag, Taken, push
from mlxkit.tools import git
from mlxkit.tools.git_remote import Remote


def settle(
    git_root: str, tag: Tag, kind: Kind, what: Mapping[str, object], remote: Remote | None = None
) -> None:
    """Push a tag that was made, where it shall be; then write it here, and its event, at once.

    Raises Taken where there is one of its name, MlxError; then there is neither here.
    """
    if remote is not None:
        push(git_root, tag, remote)
    try:
        log.append(git_root, kind, what, creates={f"refs/tags/{tag.name}": tag.id})
    except MlxError as error:
        if remote is not None:
            raise MlxError(
                f"the tag {tag.name} was pushed, but not written here, nor its event: "
                f"{error.message}",
                hint=f"git fetch {remote.name} tag '{tag.name}'",
            ) from None
        if isinstance(error, git.GitError) and "already exists" in error.said:
            raise Taken(
                f"there is a tag {tag.name} already", hint=f"see: git show '{tag.name}'"
            ) from None
        raise


def require_git(session: Session) -> str:
    """Return the repository; raises ProjectError without one."""
    if session.git_root is None:
        raise ProjectError("without Git there are no versions of models", hint="run: git init")
    return session.git_root


def full_name(name: str, folder: str) -> str:
    """Return a model's name with the project's folder before it, as GTO and DVC write it."""
    name = name.replace("/dvc.yaml:", ":").removeprefix("dvc.yaml:")
    return f"{folder}:{name}" if folder and ":" not in name else name


def recorded(content: Content) -> dict[str, object]:
    """Return what a tag, and the audit log, say of a content."""
    told = {"path": content.path, "md5": content.md5, "size": content.size,
            "nfiles": content.nfiles}  # fmt: skip
    return {key: value for key, value in told.items() if value is not None}

"""What registering, promoting and rolling back have in common."""

from collections.abc import Mapping

from mlxkit.audit import log
from mlxkit.audit.event import Kind
from mlxkit.core.errors import MlxError, ProjectError
from mlxkit.pipeline.session import Session
from mlxkit.registry.content import Content
from mlxkit.registry.write import Tag, push, withdraw
from mlxkit.tools.git_remote import Remote


def settle(
    git_root: str, tag: Tag, kind: Kind, what: Mapping[str, object], remote: Remote | None = None
) -> None:
    """Push a tag that was written, where it shall be, and tell the audit log of it.

    What fails takes the tag back; but one that was pushed stays. Raises MlxError.
    """
    pushed = False
    try:
        if remote is not None:
            push(git_root, tag, remote)
            pushed = True
        log.append(git_root, kind, what)
    except BaseException as error:
        if not pushed:
            withdraw(git_root, tag)
        elif isinstance(error, MlxError):
            raise MlxError(
                f"the tag {tag.name} was written and pushed, but not its event: {error.message}",
                hint=error.hint,
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

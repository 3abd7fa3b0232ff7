"""Which commit a run's result is compared with."""

from mlxkit.ci.event import Event
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.tools import git


def find_base(root: str, event: Event) -> str:
    """Return the id of the commit that this run's work began from.

    A pull request: where it left its target. A push to the default branch: what that was before; to
    another one: where it left the default branch. Raises MlxError where there is none.
    """
    if git.commit_id(root, "HEAD") is None:
        raise UsageError("nothing is committed yet", hint="commit first")
    if event.request_base:
        return _left(root, event.request_base) or _missing(root, event.request_base)
    target = _default(root, event)
    own = event.branch or _current(root)
    if target and own != target.rpartition("/")[2]:
        found = _left(root, target)
        if found is not None:
            return found
    # A branch that was pushed by force began elsewhere: then what it was may be gone.
    before = git.commit_id(root, event.before) if event.before else None
    found = before if before and not _is_head(root, before) else git.commit_id(root, "HEAD~1")
    return found or _missing(root, "HEAD~1")


def _default(root: str, event: Event) -> str:
    """Return a name of the default branch that Git knows here, or empty."""
    if event.default_branch:
        names = [f"origin/{event.default_branch}", event.default_branch]
    else:
        names = ["origin/HEAD", "origin/main", "main", "origin/master", "master"]
    for name in names:
        if git.commit_id(root, f"refs/remotes/{name}" if "/" in name else f"refs/heads/{name}"):
            return _full(root, name) if name == "origin/HEAD" else name
    return ""


def _full(root: str, name: str) -> str:
    said = git.run(root, "rev-parse", "--abbrev-ref", name, ok=(0, 128)).decode().strip()
    return said or name


def _current(root: str) -> str:
    return git.run(root, "symbolic-ref", "--short", "-q", "HEAD", ok=(0, 1)).decode().strip()


def _left(root: str, target: str) -> str | None:
    """Return the newest commit that HEAD and the target share."""
    if git.commit_id(root, target) is None:
        return None
    return git.run(root, "merge-base", target, "HEAD", ok=(0, 1)).decode().strip() or None


def _is_head(root: str, commit: str) -> bool:
    return git.commit_id(root, "HEAD") == commit


def _missing(root: str, what: str) -> str:
    shallow = git.run(root, "rev-parse", "--is-shallow-repository").strip() == b"true"
    hint = "fetch all of the history: git fetch --unshallow" if shallow else "compare with a commit"
    raise MlxError(f"there is no earlier commit to compare with ({what} is not here)", hint=hint)

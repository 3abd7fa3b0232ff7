"""Whether a tag is signed, and whether Git finds that right."""

from mlxkit.tools import git
from mlxkit.versions.tags import Event


def signature(git_root: str, event: Event) -> str:
    """Return `good`, `not verified: WHY` or `none`."""
    if not event.signed:
        return "none"
    try:
        git.run(git_root, "verify-tag", f"refs/tags/{event.tag}")
    except git.GitError as error:
        said = error.said.splitlines()
        return f"not verified: {said[-1] if said else 'Git does not know the key'}"
    return "good"

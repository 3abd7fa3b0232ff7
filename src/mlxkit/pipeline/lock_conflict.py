"""A `dvc.lock` with conflict markers: merged again from the versions that Git keeps of it."""

from mlxkit.core.errors import MlxError, ProjectError
from mlxkit.core.yaml import ConflictError
from mlxkit.pipeline.lock_merge import Merged, merge_locks
from mlxkit.pipeline.lock_sides import Marks
from mlxkit.tools import git_merge

HINT = "take one side (git checkout --ours dvc.lock, or --theirs), then: mlx repro"


def merge_again(git_root: str | None, path: str, error: ConflictError) -> Merged:
    """Merge what Git has of both sides; the file itself may be a merge by lines, or half resolved.

    Raises `error`, with what to do, where Git no longer knows of the conflict or cannot help.
    """
    if git_root is not None:
        try:
            found = git_merge.versions(git_root, path)
            if found is not None:
                return merge_locks(*found, Marks())
        except (MlxError, ProjectError):
            pass
    raise ConflictError(error.message, where=error.where, hint=HINT) from error

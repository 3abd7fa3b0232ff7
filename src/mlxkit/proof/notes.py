"""Where the places of rebuilds are noted: apart, for each `mlx verify` looks there."""

import os

from mlxkit.tools import git

NOTE = "rebuild-"
"""How the name of a note begins."""


def notes_folder(git_root: str) -> str:
    """Return the folder of notes, which all worktrees of a repository share; raises OSError."""
    return os.path.join(git.common_folder(git_root), "mlx")


def any_noted(start: str) -> bool:
    """Tell whether there is any note, of a rebuild that goes on or of one that was killed."""
    git_root = git.find_root(start)
    if git_root is None:
        return False
    try:
        return any(name.startswith(NOTE) for name in os.listdir(notes_folder(git_root)))
    except OSError:
        return False

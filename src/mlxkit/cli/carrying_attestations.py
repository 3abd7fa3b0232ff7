"""What `mlx push`, `fetch` and `pull` do about attestations: carry them by Git's own remote."""

import sys
from typing import Literal

from mlxkit.cli import terminal
from mlxkit.core.errors import MlxError


def carry_attestations(verb: Literal["push", "fetch"], git_root: str) -> None:
    """Push or fetch attestations; that it fails is a warning: the data is there."""
    from mlxkit.attest.carry import fetch, push

    try:
        carried = push(git_root) if verb == "push" else fetch(git_root)
    except (MlxError, OSError) as error:
        _warn(f"attestations were not {verb}ed: {error}")
        return
    if carried is not None and carried.refused:
        count = terminal.counted(carried.refused, "file")
        _warn(f"{count} of '{carried.remote}' left out: no attestations")


def _warn(text: str) -> None:
    terminal.note(f"{terminal.styled('warning:', 'yellow', sys.stderr)} {text}")

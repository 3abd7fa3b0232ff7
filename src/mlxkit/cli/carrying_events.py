"""What `mlx push`, `fetch` and `pull` do about the audit log: carry it by Git's own remote."""

import sys
from typing import Literal

from mlxkit.cli import terminal
from mlxkit.core.errors import MlxError

_MOST_NAMED = 1000
"""So many of the records that were sent are named; the tip of their chain stands for all."""


def carry_events(verb: Literal["push", "fetch"], git_root: str, sent: tuple[str, ...]) -> list[str]:
    """Push or fetch the log; records that were just `sent` are put into it first.

    That it fails is a warning: the data is there. Returns what failed.
    """
    from mlxkit.audit.carry import fetch, push

    try:
        if sent:
            _note_sent(git_root, sent)
        carried = push(git_root) if verb == "push" else fetch(git_root)
        if carried is not None and carried.note:
            _warn(f"remote '{carried.remote}': {carried.note}")
    except (MlxError, OSError) as error:
        _warn(f"the audit log was not {verb}ed: {error}")
        if isinstance(error, MlxError) and error.hint:
            terminal.note(f"{terminal.styled('hint:', 'cyan', sys.stderr)} {error.hint}")
        return ["the audit log"]
    return []


def _note_sent(git_root: str, sent: tuple[str, ...]) -> None:
    from mlxkit.audit.event import Kind
    from mlxkit.audit.log import append
    from mlxkit.runs.ledger import tip
    from mlxkit.tools.git_remote import choose_remote

    remote = choose_remote(git_root)
    what = {
        "remote": remote.name if remote else None,
        "records": len(sent),
        "tip": tip(git_root),
        "ids": list(sent[:_MOST_NAMED]),
    }
    append(git_root, Kind.RUN_PUSHED, what)


def _warn(text: str) -> None:
    terminal.note(f"{terminal.styled('warning:', 'yellow', sys.stderr)} {text}")

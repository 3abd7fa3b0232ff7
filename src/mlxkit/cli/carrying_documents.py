"""What `mlx push`, `fetch` and `pull` do about attestations and verdicts of gates."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from mlxkit.cli import terminal
from mlxkit.core.errors import MlxError

if TYPE_CHECKING:
    from mlxkit.runs.chain import Chain


def carry_documents(verb: Literal["push", "fetch"], git_root: str) -> list[str]:
    """Push or fetch them, by Git's own remote; that it fails is a warning: the data is there.

    Returns what failed.
    """
    from mlxkit.runs.chain_carry import fetch, push

    failed = []
    for what, chain in _chains():
        try:
            carried = push(git_root, chain) if verb == "push" else fetch(git_root, chain)
        except (MlxError, OSError) as error:
            _warn(f"{what} were not {verb}ed: {error}")
            failed.append(what)
            continue
        if carried is not None and carried.refused:
            count = terminal.counted(carried.refused, "file")
            _warn(f"{count} of '{carried.remote}' left out: no {what}")
    return failed


def _chains() -> "Iterator[tuple[str, Chain]]":
    from mlxkit.attest.ledger import CHAIN as ATTESTATIONS
    from mlxkit.gates.ledger import CHAIN as VERDICTS

    yield "attestations", ATTESTATIONS
    yield "verdicts of gates", VERDICTS


def _warn(text: str) -> None:
    terminal.note(f"{terminal.styled('warning:', 'yellow', sys.stderr)} {text}")

"""What `mlx push`, `fetch` and `pull` do about run records: carry them by Git's own remote."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mlxkit.cli import terminal
from mlxkit.cli.carrying_documents import carry_documents
from mlxkit.cli.carrying_events import carry_events
from mlxkit.core.errors import MlxError, UsageError

if TYPE_CHECKING:
    from mlxkit.runs.carry import Carried

NoRecords = Annotated[
    bool,
    typer.Option(
        "--no-records",
        help="Leave run records, attestations, gates' verdicts and the audit log out, "
        "which go by Git's remote.",
    ),
]


def carry(verb: Literal["push", "fetch"], git_root: str | None) -> "Carried | None":
    """Push or fetch run records; None where there is nothing to do it with.

    That it fails is a warning: the data is there.
    """
    if git_root is None:
        return None
    from mlxkit.runs.carry import fetch_records, push_records

    try:
        carried = push_records(git_root) if verb == "push" else fetch_records(git_root)
    except MlxError as error:
        word = terminal.styled("warning:", "yellow", sys.stderr)
        terminal.note(f"{word} run records were not {verb}ed: {error}")
        return None
    carry_documents(verb, git_root)
    carry_events(verb, git_root, carried.ids if carried and verb == "push" else ())
    return carried


@contextmanager
def carrying_anyway(
    verb: Literal["push", "fetch"], git_root: str | None, *, quiet: bool
) -> Iterator[None]:
    """Push or fetch run records also where the data's remote fails: they go by another one."""
    try:
        yield
    except UsageError:
        raise
    except MlxError:
        tell_records(verb, carry(verb, git_root), quiet=quiet)
        raise


def records_json(carried: "Carried | None") -> dict[str, int]:
    """Return the key that a JSON document gets, where records were asked about."""
    return {"records": carried.records} if carried is not None else {}


def tell_records(verb: Literal["push", "fetch"], carried: "Carried | None", *, quiet: bool) -> None:
    """Say how many records went where."""
    if carried is None:
        return
    if carried.refused:
        word = terminal.styled("warning:", "yellow", sys.stderr)
        count = terminal.counted(carried.refused, "file")
        terminal.note(f"{word} {count} of '{carried.remote}' left out: no run records")
    if carried.records and not quiet:
        done = "pushed to" if verb == "push" else "fetched from"
        count = terminal.counted(carried.records, "run record")
        terminal.write(f"{count} {done} '{carried.remote}'")

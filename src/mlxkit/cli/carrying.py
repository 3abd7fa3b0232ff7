"""What `mlx push`, `fetch` and `pull` do about run records: carry them by Git's own remote."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mlxkit.cli import terminal
from mlxkit.cli.carrying_documents import carry_documents
from mlxkit.cli.carrying_events import carry_events
from mlxkit.core.errors import ExitCode, MlxError, RemoteError, UsageError

if TYPE_CHECKING:
    from mlxkit.runs.carry import Carried

NoRecords = Annotated[
    bool,
    typer.Option(
        "--no-records",
        help="Data only: no run records, verdicts, attestations and audit log, "
        "which Git's remote keeps.",
    ),
]


def carry(
    verb: Literal["push", "fetch"], git_root: str | None, *, failed: list[str] | None = None
) -> "Carried | None":
    """Push or fetch run records; None where there is nothing to do it with.

    That it fails is a warning: the data is there. What could not be carried is added to `failed`.
    """
    if git_root is None:
        return None
    failed = [] if failed is None else failed
    from mlxkit.runs.carry import fetch_records, push_records, pushed_before

    try:
        if verb == "push":
            nothing_new, carried = pushed_before(git_root)
            if nothing_new:
                return carried
        carried = push_records(git_root) if verb == "push" else fetch_records(git_root)
    except MlxError as error:
        word = terminal.styled("warning:", "yellow", sys.stderr)
        terminal.note(f"{word} run records were not {verb}ed: {error}")
        failed.append("run records")
        return None
    failed += carry_documents(verb, git_root)
    failed += carry_events(verb, git_root, carried.ids if carried and verb == "push" else ())
    return carried


OnlyRecords = Annotated[
    bool,
    typer.Option("--only-records", help="Records only, no data; fail if they cannot be carried."),
]


def carry_alone(
    verb: Literal["push", "fetch"], *, mixed: bool, as_json: bool, quiet: bool
) -> ExitCode:
    """Push or fetch records and no data, and say so: what `--only-records` does.

    Raises UsageError where data are asked for too (`mixed`), or without a Git remote; RemoteError.
    """
    from mlxkit.project import find_root
    from mlxkit.tools import git
    from mlxkit.tools.git_remote import choose_remote

    if mixed:
        raise UsageError("--only-records takes no targets, nor --no-records")
    git_root = git.find_root(find_root("."))
    if git_root is None or choose_remote(git_root) is None:
        raise UsageError(
            "there is no Git remote that keeps records", hint="git remote add origin URL"
        )
    failed: list[str] = []
    carried = carry(verb, git_root, failed=failed)
    if failed:
        raise RemoteError(
            f"not {verb}ed: {', '.join(failed)}", hint="what went wrong is said above"
        )
    if as_json:
        terminal.write_json({f"{verb}ed": 0, "failed": [], **records_json(carried)})
    tell_records(verb, carried, quiet=quiet or as_json)
    if carried is None or not carried.records:
        terminal.note("no new run records; verdicts, attestations and the audit log are up to date")
    return ExitCode.OK


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

"""`mlx checkout`: bring data into the working tree."""

from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.bar import bar
from mlxkit.cli.options import (
    Json,
    Quiet,
    Recursive,
    Targets,
    Verbose,
    Wait,
    WithDeps,
    new_app,
)
from mlxkit.core.errors import ExitCode
from mlxkit.data.checkout import Changes, check_out
from mlxkit.data.tracked import tracked
from mlxkit.project import open_for_change

app = new_app()


@app.command()
def checkout(
    targets: Targets = None,
    summary: Annotated[bool, typer.Option("--summary", help="Only counts.")] = False,
    with_deps: WithDeps = False,
    recursive: Recursive = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Destroy changes that are recorded nowhere.")
    ] = False,
    relink: Annotated[
        bool, typer.Option("--relink", help="Make links and copies anew, as `cache.type` says.")
    ] = False,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="What the cache lacks is no error.")
    ] = False,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Bring the data that the current commit records from the cache into the working tree.

    Example: git checkout v1.2 && mlx checkout
    """
    with open_for_change(".", wait, terminal.note) as session, bar(quiet=quiet) as progress:
        wanted = tracked(session, targets or [], with_deps=with_deps, recursive=recursive)
        changes = check_out(
            session,
            wanted,
            everything=not targets,
            force=force,
            relink=relink,
            progress=progress,
        )
    if as_json:
        terminal.write_json(changes_json(changes))
    elif not quiet:
        show_changes(changes, summary=summary)
    if changes.failed and not allow_missing:
        report_failed(changes, as_json)
        return ExitCode.FAILED
    return ExitCode.OK


def changes_json(changes: Changes) -> dict[str, Any]:
    """Return the contract's document."""
    return {name: list(paths) for name, paths in changes._asdict().items()}


def show_changes(changes: Changes, *, summary: bool = False) -> None:
    """Print what changed: a letter and a path each, as DVC does, or only counts."""
    kinds = (
        ("A", "added", changes.added, "green"),
        ("M", "modified", changes.modified, "yellow"),
        ("D", "deleted", changes.deleted, "red"),
    )
    for letter, _, paths, style in kinds:
        for path in () if summary else paths:
            terminal.write(f"{terminal.styled(letter, style)}       {path}")
    counts = [f"{len(paths)} {name}" for _, name, paths, _ in kinds if paths]
    if summary or not (counts or changes.failed):
        terminal.write(", ".join(counts) or "nothing to do")


def report_failed(changes: Changes, as_json: bool) -> None:
    """Tell which data the cache lacks."""
    if as_json:
        return
    named = ", ".join(changes.failed[:10]) + (", ..." if len(changes.failed) > 10 else "")
    terminal.note(f"error: the cache lacks, or holds damaged, what is recorded of: {named}")
    terminal.note("hint: fetch it with: mlx pull")

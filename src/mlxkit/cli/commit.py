"""`mlx commit`: record data that has changed."""

import os
import sys
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.add import added_json
from mlxkit.cli.bar import bar
from mlxkit.cli.handover import give_to_dvc
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
from mlxkit.core.errors import ExitCode, UsageError
from mlxkit.data.add import LeftToDvc
from mlxkit.data.commit import commit as commit_data
from mlxkit.project import open_for_change

app = new_app()


@app.command()
def commit(
    targets: Targets = None,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Record changes without asking.")
    ] = False,
    with_deps: WithDeps = False,
    recursive: Recursive = False,
    no_relink: Annotated[
        bool, typer.Option("--no-relink", help="Leave the files as they are, no links.")
    ] = False,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Record changed data in the cache and its .dvc file; of stages, what they last wrote.

    Example: mlx commit data/images.dvc
    """
    try:
        with open_for_change(".", wait, terminal.note) as session, bar(quiet=quiet) as progress:
            recorded = commit_data(
                session,
                targets or [],
                with_deps=with_deps,
                recursive=recursive,
                relink=not no_relink,
                agreed=lambda shown: force or (not as_json and _ask(shown)),
                progress=progress,
            )
    except LeftToDvc:
        if as_json:
            raise UsageError(
                "what stages made is committed by DVC's own code, which has no JSON",
                hint="leave --json out",
            ) from None
        flags = (
            ("--force", force),
            ("--with-deps", with_deps),
            ("--recursive", recursive),
            ("--no-relink", no_relink),
            ("--quiet", quiet),
        )
        given = [flag for flag, wanted in flags if wanted]
        return give_to_dvc(["commit", *given, "--", *(targets or [])])
    if as_json:
        terminal.write_json({"committed": [added_json(one) for one in recorded]})
    elif not quiet:
        for one in recorded:
            size = terminal.size(one.content.size)
            terminal.write(f"recorded {os.path.relpath(one.path)} ({size})")
    return ExitCode.OK


def _ask(shown: str) -> bool:
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"'{shown}' has changed. Record it as it is? [y/n] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")

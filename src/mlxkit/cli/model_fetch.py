"""`mlx model fetch`: a version's bytes into a folder."""

import os
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.bar import bar
from mlxkit.cli.model_options import What, content_json
from mlxkit.cli.model_place import holding
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.terminal import printable

app = new_app()


@app.command()
def fetch(
    what: What,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="DIR", help="Where to; made if needed.")
    ] = ".",
    remote: Annotated[
        str, typer.Option("--remote", "-r", metavar="NAME", help="DVC's remote to fetch from.")
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Replace what is in the way.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Write a version's file or folder into DIR, from the cache or a remote, checked.

    Example: mlx model fetch census#prod -o serving
    """
    from mlxkit.registry.fetch import fetch

    with holding(what) as (session, chosen):
        if chosen.version is not None and chosen.version.event.trouble and not as_json:
            terminal.note(f"note: {printable(chosen.version.event.trouble)}")
        with bar(quiet=quiet) as progress:
            done = fetch(session, chosen, output, progress, force=force, remote=remote)
    if as_json:
        terminal.write_json(
            {"model": chosen.model.name, "version": chosen.version and chosen.version.name,
             "commit": chosen.commit, "path": done.path, "changed": done.changed,
             "fetched": done.files, "content": content_json(done.content)}
        )  # fmt: skip
    elif not quiet:
        where = "from Git" if done.content.blob is not None else "from the cache"
        came = f"fetched {terminal.size(done.size)}" if done.files else where
        said = came if done.changed else "there already"
        terminal.write(f"{chosen.shown} -> {printable(os.path.relpath(done.path))}  ({said})")
    return 0

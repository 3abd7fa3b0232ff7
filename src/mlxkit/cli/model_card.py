"""`mlx model card`: a model card in Markdown."""

import os
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.model_about import knowing_about
from mlxkit.cli.model_options import What
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.core.files import write_atomic

app = new_app()


@app.command()
def card(
    what: What,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Write it there.")
    ] = "",
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Write a model card from records alone; what none knows is "not recorded".

    Intended use, limits and owner come from `models` in mlx.yaml.

    Example: mlx model card census@v1.3.0 -o MODEL_CARD.md
    """
    from mlxkit.core.errors import UsageError
    from mlxkit.registry.card import render
    from mlxkit.registry.facts import facts

    if os.path.isdir(output):
        raise UsageError(f"'{output}' is a folder, not a file", hint="name a file: -o FILE")
    with knowing_about(what, quiet=quiet or as_json) as (found, index):
        text = render(found, facts(index, found))
    if output:
        write_atomic(os.path.abspath(output), text.encode("utf-8", "replace"))
        if not (quiet or as_json):
            terminal.note(f"wrote {output}")
    if as_json:
        terminal.write_json({"model": found.chosen.shown, "card": text, "file": output or None})
    elif not output:
        terminal.write(text.rstrip("\n"))
    return 0

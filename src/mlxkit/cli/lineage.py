"""`mlx lineage WHAT`: what made a file, what it was made of, and what was made of it."""

import os
from collections.abc import Callable
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.knowing import knowing
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.core.errors import ExitCode, UsageError
from mlxkit.core.files import write_atomic
from mlxkit.lineage.answer import Answer
from mlxkit.lineage.query import answer
from mlxkit.lineage.what import find

app = new_app()


@app.command()
def lineage(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="A path, REV:PATH, a digest or its beginning, a file from anywhere, "
            "MODEL@VERSION, MODEL#STAGE or run:ID.",
        ),
    ],
    upstream: Annotated[
        bool, typer.Option("--upstream", help="Only what it was made from, back to the raw data.")
    ] = False,
    downstream: Annotated[
        bool, typer.Option("--downstream", help="Only what was made from it.")
    ] = False,
    depth: Annotated[
        int | None, typer.Option("--depth", metavar="N", min=0, help="At most N steps each way.")
    ] = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="As a Mermaid diagram.")] = False,
    dot: Annotated[bool, typer.Option("--dot", help="As a graph for Graphviz.")] = False,
    openlineage: Annotated[
        bool, typer.Option("--openlineage", help="As OpenLineage events.")
    ] = False,
    page: Annotated[str, typer.Option("--html", metavar="FILE", help="As an HTML page.")] = "",
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Tell which commit, command, data and parameters made a file, and what was made of it.

    Looks through all branches, tags, stashes, experiments and recorded runs. Exits with 3 when
    nothing is known.

    Example: mlx lineage model.skops
    """
    if mermaid + dot + openlineage + as_json > 1:
        raise UsageError("give one of --json, --mermaid, --dot, --openlineage")
    both = upstream == downstream
    with knowing(quiet=quiet) as index:
        found = answer(
            index,
            find(index, what),
            upstream=upstream or both,
            downstream=downstream or both,
            depth=depth,
        )
    if page:
        from mlxkit.lineage.formats.html import render as as_page

        write_atomic(os.path.abspath(page), as_page(found).encode("utf-8", "replace"))
        terminal.note(f"wrote {page}")
    render = _format(mermaid, dot, openlineage)
    if as_json:
        from mlxkit.lineage.document import document

        terminal.write_json(document(found))
    elif render is not None:
        terminal.write(render(found).rstrip("\n"))
    elif not quiet and not page:
        from mlxkit.cli.lineage_tree import show

        show(found, what, upstream=upstream or both, downstream=downstream, everything=verbose)
    if not (as_json or quiet):
        for note in found.notes:
            terminal.note(f"note: {note}")
    return ExitCode.OK if found.producers or found.edges else ExitCode.CHECK_FAILED


def _format(mermaid: bool, dot: bool, openlineage: bool) -> Callable[[Answer], str] | None:
    """Return what draws the answer, imported only when asked for."""
    if mermaid:
        from mlxkit.lineage.formats.mermaid import render
    elif dot:
        from mlxkit.lineage.formats.dot import render
    elif openlineage:
        from mlxkit.lineage.formats.openlineage import render
    else:
        return None
    return render

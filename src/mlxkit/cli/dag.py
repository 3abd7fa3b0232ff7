"""`mlx dag [TARGET]`: the graph of stages."""

import os
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.handover import give_to_dvc
from mlxkit.cli.options import Quiet, Targets, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.core.errors import UsageError
from mlxkit.pipeline.drawing import dot, mermaid, tree
from mlxkit.pipeline.status import find_status
from mlxkit.pipeline.targets import find_stages, order_stages

app = new_app()


@app.command()
def dag(
    targets: Targets = None,
    as_dot: Annotated[bool, typer.Option("--dot", help="In Graphviz' language.")] = False,
    as_mermaid: Annotated[bool, typer.Option("--mermaid", help="In Mermaid's language.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--md", help="In Mermaid's language, for Markdown.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="The whole pipelines that the targets are part of.")
    ] = False,
    outs: Annotated[bool, typer.Option("--outs", "-o", help="Of files (from DVC).")] = False,
    collapse: Annotated[
        bool, typer.Option("--collapse-foreach-matrix", help="Groups as one (from DVC).")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Draw the graph of stages, or that of what a target needs; stale stages are marked.

    Example: mlx dag --mermaid > dag.mmd
    """
    if as_dot and (as_mermaid or as_markdown):
        raise UsageError("give one of --dot, --mermaid and --md")
    if outs or collapse:
        flags = [
            ("--dot", as_dot),
            ("--mermaid", as_mermaid),
            ("--md", as_markdown),
            ("--full", full),
            ("--outs", outs),
            ("--collapse-foreach-matrix", collapse),
        ]
        return give_to_dvc(["dag", *(flag for flag, on in flags if on), *(targets or [])])
    with reading() as session:
        chosen = find_stages(session.declared, targets or [])
        order = order_stages(session.graph, chosen, everything=not targets, pipeline=full)
        needs = {stage.key: session.graph.needs[stage.key] for stage in order}
        stages = session.graph.stages
        drawn = as_dot or as_mermaid or as_markdown
        found = () if drawn else find_status(session, order).stages
        states = {one.stage.key: one.state for one in found}

    def label(key: str) -> str:
        return stages[key].address(os.getcwd())

    def mark(key: str) -> str:
        state = states.get(key, "fresh")
        shown = f"{label(key)} ({state})" if state != "fresh" else label(key)
        return terminal.styled(shown, terminal.OUTCOME_STYLES[state]) if state != "fresh" else shown

    if as_dot:
        terminal.write(dot(needs, label))
    elif as_mermaid:
        terminal.write(mermaid(needs, label))
    elif as_markdown:
        terminal.write(f"```mermaid\n{mermaid(needs, label)}\n```")
    else:
        for line in tree(needs, label, mark):
            terminal.write(line)
    return 0

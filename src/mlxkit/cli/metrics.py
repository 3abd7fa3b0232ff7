"""`mlx metrics show`: the metrics of the working tree; other views come from DVC."""

import os
from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.handover import give_to_dvc
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.cli.tables import show_files
from mlxkit.metrics.load import MetricsFile, flatten, load_metrics
from mlxkit.metrics.preferences import load_preferences, preference_of
from mlxkit.pipeline.params import read_file

app = new_app()
ARROWS = {"higher": " ↑", "lower": " ↓", None: ""}


@app.callback()
def metrics() -> None:
    """Show metrics; compare them between revisions."""


@app.command()
def show(
    targets: Annotated[list[str] | None, typer.Argument(help="Metrics files.")] = None,
    all_branches: Annotated[
        bool, typer.Option("--all-branches", "-a", help="Of every branch.")
    ] = False,
    all_tags: Annotated[bool, typer.Option("--all-tags", "-T", help="Of every tag.")] = False,
    all_commits: Annotated[
        bool, typer.Option("--all-commits", "-A", help="Of every commit.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--md", help="As a Markdown table.")] = False,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-R", help="All files in the folders named.")
    ] = False,
    precision: Annotated[
        int, typer.Option("--precision", min=1, help="Significant digits to show.")
    ] = 5,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Show the metrics of the working tree, files with the same metrics side by side.

    Example: mlx metrics show --json
    """
    if all_branches or all_tags or all_commits or markdown:
        flags = [
            ("-a", all_branches),
            ("-T", all_tags),
            ("-A", all_commits),
            ("--md", markdown),
            ("-R", recursive),
            ("--json", as_json),
        ]
        given = [flag for flag, wanted in flags if wanted]
        return give_to_dvc(["metrics", "show", *given, *(targets or [])])
    with reading() as session:
        declared = session.declared
        outs = [out.abs for one in declared.stages for out in one.outs if out.metric]
        paths = [os.path.abspath(path) for path in targets or []] or [*outs, *declared.metrics]
        files = load_metrics(paths, read_file)
        known = load_preferences(session.root)
    if as_json:
        terminal.write_json({"": {"data": {_shown(one): _document(one) for one in files}}})
        return 0
    tables = [(_shown(one), flatten(one.values)) for one in files if one.error is None]
    names = {name for _, values in tables for name in values}
    arrows = {name: ARROWS[preference_of(name, known).better] for name in names}
    show_files(tables, "metric", arrows, precision)
    for one in files:
        if one.error is not None:
            terminal.note(f"{_shown(one)}: {one.error}")
    if not files:
        terminal.note("no stage declares metrics: add `metrics:` to one in dvc.yaml")
    return 0


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def diff(ctx: typer.Context) -> int:
    """Compare metrics between revisions (from DVC)."""
    return give_to_dvc(["metrics", "diff", *ctx.args])


def _shown(file: MetricsFile) -> str:
    return os.path.relpath(file.path)


def _document(file: MetricsFile) -> dict[str, Any]:
    if file.error is not None:
        return {"error": {"type": "MlxError", "msg": file.error}}
    return {"data": file.values}

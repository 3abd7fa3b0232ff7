"""`mlx exp show`: experiments side by side."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.exp_views import Asked, csv_text, document, drawing, markdown_text
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.core.errors import UsageError
from mlxkit.pipeline.session import Session

app = new_app()


class Order(StrEnum):
    """Which way to sort."""

    asc = "asc"
    desc = "desc"


@app.command()
def show(
    rev: Annotated[
        list[str] | None, typer.Option("--rev", metavar="COMMIT", help="That commit, not HEAD.")
    ] = None,
    num: Annotated[
        int,
        typer.Option("--num", "-n", metavar="N", help="Also the N-1 before; negative: all."),
    ] = 1,
    all_branches: Annotated[
        bool, typer.Option("--all-branches", "-a", help="The last commit of every branch.")
    ] = False,
    all_tags: Annotated[bool, typer.Option("--all-tags", "-T", help="Every tag.")] = False,
    all_commits: Annotated[
        bool, typer.Option("--all-commits", "-A", help="Every commit that has experiments or not.")
    ] = False,
    filter_: Annotated[
        str,
        typer.Option(
            "--filter",
            metavar="CONDITION",
            help="Only experiments for which it holds: pr_auc > 0.6 and train.lr <= 0.1",
        ),
    ] = "",
    sort_by: Annotated[
        str, typer.Option("--sort-by", metavar="NAME", help="Sort by a metric or parameter.")
    ] = "",
    sort_order: Annotated[
        Order | None,
        typer.Option("--sort-order", help="By default the best first, or the smallest."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also columns that are the same everywhere; any width.")
    ] = False,
    only_changed: Annotated[
        bool, typer.Option("--only-changed", help="No column that is the same everywhere.")
    ] = False,
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop", metavar="REGEX", help="Leave columns out by their titles."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="REGEX", help="Keep columns, whatever else says."),
    ] = None,
    param_deps: Annotated[
        bool, typer.Option("--param-deps", help="Only parameters that stages depend on.")
    ] = False,
    sha: Annotated[bool, typer.Option("--sha", help="Ids of commits, not branches.")] = False,
    hide_failed: Annotated[
        bool, typer.Option("--hide-failed", help="Not those that failed in DVC's queue.")
    ] = False,
    hide_queued: Annotated[
        bool, typer.Option("--hide-queued", help="Not those that wait in DVC's queue.")
    ] = False,
    hide_workspace: Annotated[
        bool, typer.Option("--hide-workspace", help="Not the working tree.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, every column.")] = False,
    markdown: Annotated[bool, typer.Option("--md", help="As a Markdown table.")] = False,
    precision: Annotated[
        int | None,
        typer.Option("--precision", min=1, metavar="N", help="Significant digits of numbers."),
    ] = None,
    no_pager: Annotated[
        bool, typer.Option("--no-pager", help="Accepted as DVC's: there is no pager.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="What runs, with its metrics, till nothing does.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Read all commits again.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Show experiments with the commit that they are made from: what varies first.

    Example: mlx exp show --filter 'accuracy > 0.9 and train.lr <= 0.1' --sort-by accuracy
    """
    from mlxkit.experiments.baselines import Wanted
    from mlxkit.experiments.forms import Choice
    from mlxkit.experiments.show import Options

    if sum((as_json, as_csv, markdown)) > 1:
        raise UsageError("--json, --csv and --md exclude each other")
    asked = Asked(
        Wanted(tuple(rev or ()), num, all_branches, all_tags, all_commits),
        Options(hide_workspace, hide_queued, hide_failed, sha, param_deps, force),
        Choice(tuple(drop or ()), tuple(keep or ()), only_changed),
        filter_,
        sort_by,
        sort_order.value if sort_order else "",
        everything,
        precision,
    )
    asked.choice.check()
    with reading() as session:
        if watch:
            from mlxkit.cli.exp_watch import watch as show_running

            if not show_running(session, as_json=as_json) and not quiet:
                terminal.note("no experiment is running")
            if as_json:
                return 0
        if as_json:
            terminal.write_json(document(session, asked), large=True)
        elif as_csv:
            sys.stdout.write(csv_text(session, asked))
        elif markdown:
            terminal.write(markdown_text(session, asked))
        else:
            _show(session, asked, quiet)
    return 0


def _show(session: Session, asked: Asked, quiet: bool) -> None:
    from mlxkit.cli.exp_table import width_of_terminal

    drawn = drawing(session, asked, width_of_terminal())
    for line in drawn.lines:
        terminal.write(line)
    for note in drawn.notes if not quiet else ():
        terminal.note(note)

"""`mlx leaderboard`: models ranked by one metric, measured on one version of a test set."""

import os
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.core.errors import ExitCode, ProjectError, UsageError

app = new_app()


@app.command()
def leaderboard(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CANDIDATES]...",
            help="Commits, branches, tags, experiments; default: all but unnamed commits.",
        ),
    ] = None,
    metric: Annotated[
        str, typer.Option("--metric", metavar="NAME", help="Rank by this metric.")
    ] = "",
    test: Annotated[
        str, typer.Option("--test", metavar="PATH", help="The path of the test set.")
    ] = "",
    digest: Annotated[
        str,
        typer.Option("--digest", metavar="MD5", help="Its version; default: that of HEAD."),
    ] = "",
    files: Annotated[
        list[str] | None,
        typer.Option("--file", metavar="PATH", help="Rank this metrics file; repeatable."),
    ] = None,
    all_branches: Annotated[
        bool, typer.Option("--all-branches", "-a", help="Every branch.")
    ] = False,
    all_tags: Annotated[bool, typer.Option("--all-tags", "-T", help="Every tag.")] = False,
    all_commits: Annotated[bool, typer.Option("--all-commits", "-A", help="Every commit.")] = False,
    all_experiments: Annotated[
        bool, typer.Option("--all-experiments", "-E", help="Every experiment.")
    ] = False,
    most: Annotated[
        int | None, typer.Option("-n", metavar="N", min=1, help="Show the N best.")
    ] = None,
    chosen: Annotated[
        str,
        typer.Option("--choose", metavar="NAME", help="Note in the audit log that it was chosen."),
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 3 when the test set is worn out.")
    ] = False,
    as_json: Json = False,
    markdown: Annotated[bool, typer.Option("--md", help="As Markdown.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Rank models by one metric on one version of the test set; count how often it was used.

    What was measured on another or an unknown version is listed apart, never ranked.
    `leaderboard` of mlx.yaml says what competes.

    Example: mlx leaderboard -n 10
    """
    from mlxkit.leaderboard.build import build, load_settings
    from mlxkit.leaderboard.candidates import Asked
    from mlxkit.leaderboard.choose import choose
    from mlxkit.lineage.index import open_index

    if as_json and markdown:
        raise UsageError("--json and --md exclude each other")
    with reading() as session:
        git_root = session.git_root
        if git_root is None:
            raise ProjectError("without Git there is nothing to rank", hint="start with: git init")
        root = session.root
        given = os.path.relpath(test, root) if test else None
        settings = load_settings(root, metric=metric, test=given, digest=digest)
        if files:
            models = {one: os.path.relpath(one, root) for one in files}
            settings = settings._replace(models=models, baselines={})
        index = open_index(session.root, git_root, terminal.note)
    asked = Asked(tuple(names or ()), all_branches, all_tags, all_commits, all_experiments)
    try:
        board = build(index, settings, asked)
    finally:
        index.close()
    row = choose(git_root, board, chosen) if chosen else None
    if as_json:
        from mlxkit.leaderboard.document import document

        terminal.write_json(document(board, most))
    elif not quiet:
        from mlxkit.cli.leaderboard_show import show, show_choice

        show(board, most, markdown=markdown, verbose=verbose)
        if row is not None:
            show_choice(row, chosen)
    return ExitCode.CHECK_FAILED if check and board.worn else ExitCode.OK

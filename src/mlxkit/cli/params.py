"""`mlx params`: parameters that stages use, at one revision or several, and what changed."""

from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.compare_options import (
    Branches,
    Commits,
    Markdown,
    New,
    NoPath,
    Old,
    Tags,
    Unchanged,
    params_paths,
    warn,
)
from mlxkit.cli.options import Json, ManyTargets, Quiet, Targets, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.pipeline.targets import find_stages

app = new_app()
DIGITS = 0
"""Parameters are shown in full."""
Deps = Annotated[bool, typer.Option("--deps", help="Only what stages declare.")]


@app.callback()
def params() -> None:
    """Show parameters; compare them between revisions.

    Example: mlx params diff main
    """


@app.command(short_help="Show parameters, here or at revisions.")
def show(
    targets: Targets = None,
    all_branches: Branches = False,
    all_tags: Tags = False,
    all_commits: Commits = False,
    deps: Deps = False,
    markdown: Markdown = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Show parameters: all, or those that some stages use; here, or of branches, tags, commits.

    Example: mlx params show train
    """
    from mlxkit.cli.compare_show import show_revisions, show_table
    from mlxkit.comparison.asking import ask_params, show_all
    from mlxkit.comparison.documents import document

    several = all_branches or all_tags or all_commits
    with reading() as session:
        stages = [one.key for one in find_stages(session.declared, targets or [])]
        asked = ask_params(stages=stages, deps_only=deps)
        told = show_all(session, asked, branches=all_branches, tags=all_tags, commits=all_commits)
        root = session.root
    warn(told.warnings)
    if as_json:
        terminal.write_json(document(told.found, root))
    elif not any(told.values.values()):
        if not told.warnings and not quiet:
            terminal.note("no stage declares parameters: add `params:` to one in dvc.yaml")
    elif markdown:
        show_table(told.values, with_revision=several, precision=DIGITS)
    else:
        show_revisions(told.values, "parameter", {}, DIGITS)
    return 0


@app.command(cls=ManyTargets, short_help="Compare parameters of two revisions.")
def diff(
    a_rev: Old = "HEAD",
    b_rev: New = "workspace",
    targets: Annotated[
        list[str] | None,
        typer.Option("--targets", metavar="PATHS", help="Only these parameter files."),
    ] = None,
    unchanged: Unchanged = False,
    deps: Deps = False,
    as_json: Json = False,
    markdown: Markdown = False,
    no_path: NoPath = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Show which parameters changed between two revisions.

    Example: mlx params diff HEAD~1 --deps
    """
    from mlxkit.cli.compare_diff import show_changes, show_markdown
    from mlxkit.comparison.asking import ask_params, compare

    with reading() as session:
        asked = ask_params(params_paths(session, targets or []), deps_only=deps)
        told = compare(session, asked, a_rev, b_rev, unchanged=unchanged)
    warn(told.warnings)
    if as_json:
        terminal.write_json(told.changes)
    elif not told.changes:
        if not told.warnings and not quiet:
            terminal.note(f"no parameter differs between {a_rev} and {b_rev}")
    elif markdown:
        revs = (a_rev, b_rev)
        show_markdown(told.changes, "Param", revs, precision=DIGITS, paths=not no_path)
    else:
        show_changes(told.changes, unread=told.unread, precision=DIGITS, paths=not no_path)
    return 0

"""`mlx metrics`: what was measured, here or at revisions; what changed, and if for the better."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.compare_options import (
    Branches,
    Commits,
    Full,
    Markdown,
    New,
    NoPath,
    Old,
    Precision,
    Recursive,
    Tags,
    Unchanged,
    metrics_paths,
    warn,
)
from mlxkit.cli.options import Json, ManyTargets, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading

app = new_app()


@app.callback()
def metrics() -> None:
    """Show metrics; compare them between revisions.

    Example: mlx metrics diff main
    """


@app.command(short_help="Show metrics, here or at revisions.")
def show(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TARGETS]...", help="Metrics files, or folders of them."),
    ] = None,
    all_branches: Branches = False,
    all_tags: Tags = False,
    all_commits: Commits = False,
    markdown: Markdown = False,
    recursive: Recursive = False,
    precision: Precision = 5,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Show metrics: of the working tree, or of branches, tags, commits; `↑` marks more is better.

    Example: mlx metrics show --all-tags
    """
    from mlxkit.cli.compare_show import show_revisions, show_table
    from mlxkit.comparison.asking import ask_metrics, show_all
    from mlxkit.comparison.documents import document

    several = all_branches or all_tags or all_commits
    with reading() as session:
        asked = ask_metrics(metrics_paths(session, targets or []))
        told = show_all(session, asked, branches=all_branches, tags=all_tags, commits=all_commits)
        root = session.root
    warn(told.warnings)
    if as_json:
        terminal.write_json(document(told.found, root))
    elif not any(told.values.values()):
        if not told.warnings and not quiet:
            terminal.note("no stage declares metrics: add `metrics:` to one in dvc.yaml")
    elif markdown:
        show_table(told.values, with_revision=several, precision=precision)
    else:
        show_revisions(told.values, "metric", _marks(root, told.values), precision)
    return 0


@app.command(cls=ManyTargets, short_help="Compare metrics of two revisions.")
def diff(
    a_rev: Old = "HEAD",
    b_rev: New = "workspace",
    targets: Annotated[
        list[str] | None,
        typer.Option("--targets", metavar="PATHS", help="Only these files, or folders of them."),
    ] = None,
    recursive: Recursive = False,
    unchanged: Unchanged = False,
    full: Full = False,
    as_json: Json = False,
    markdown: Markdown = False,
    no_path: NoPath = False,
    precision: Precision = 5,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Show which metrics changed between two revisions, and whether for the better.

    Example: mlx metrics diff main --targets metrics/test.json
    """
    from mlxkit.cli.compare_diff import Brief, judged_by, show_changes, show_markdown
    from mlxkit.comparison.asking import ask_metrics, compare
    from mlxkit.metrics.importance import by_importance, load_interest
    from mlxkit.metrics.judgement import is_better
    from mlxkit.metrics.preferences import load_preferences

    with reading() as session:
        asked = ask_metrics(metrics_paths(session, targets or []))
        told = compare(session, asked, a_rev, b_rev, unchanged=unchanged)
        known = load_preferences(session.root)
        interest = load_interest(session.root)
    warn(told.warnings)

    judge = judged_by(known)
    if as_json:
        terminal.write_json(
            {
                path: {
                    name: {**change, "better": is_better(name, change, known)}
                    for name, change in names.items()
                }
                for path, names in told.changes.items()
            }
        )
    elif not told.changes:
        if not told.warnings and not quiet:
            terminal.note(f"no metric differs between {a_rev} and {b_rev}")
    elif markdown:
        revs = (a_rev, b_rev)
        show_markdown(
            told.changes,
            "Metric",
            revs,
            judge=judge,
            unread=told.unread,
            precision=precision,
            paths=not no_path,
        )
    else:
        brief = Brief(lambda names: by_importance(names, interest), "--full, or --targets FILE")
        show_changes(
            told.changes,
            judge=judge,
            unread=told.unread,
            precision=precision,
            paths=not no_path,
            brief=None if full or targets else brief,
        )
    return 0


def _marks(root: str, revisions: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    from mlxkit.cli.compare_diff import ARROWS
    from mlxkit.metrics.load import flatten
    from mlxkit.metrics.preferences import load_preferences, preference_of

    known = load_preferences(root)
    each = [values for files in revisions.values() for values in files.values()]
    names = {name for values in each for name in flatten(values)}
    return {name: ARROWS[preference_of(name, known).better] for name in names}

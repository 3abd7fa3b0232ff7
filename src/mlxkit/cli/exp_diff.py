"""`mlx exp diff`: metrics and parameters of two experiments."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.compare_options import (
    Full,
    Markdown,
    New,
    NoPath,
    Old,
    Precision,
    Unchanged,
)
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.metrics.importance import Interest, by_importance, load_interest
from mlxkit.metrics.preferences import Preference, load_preferences

app = new_app()
ALL_DIGITS = 0


@app.command()
def diff(
    a_rev: Old = "HEAD",
    b_rev: New = "workspace",
    unchanged: Unchanged = False,
    full: Full = False,
    param_deps: Annotated[
        bool, typer.Option("--param-deps", help="Only parameters that stages depend on.")
    ] = False,
    as_json: Json = False,
    markdown: Markdown = False,
    no_path: NoPath = False,
    precision: Precision = 5,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Show which metrics and parameters differ between two experiments, and what got better.

    Example: mlx exp diff lime-otter brave-heron
    """
    from mlxkit.experiments.difference import compare_experiments

    with reading() as session:
        found = compare_experiments(
            session, a_rev, b_rev, unchanged=unchanged, deps_only=param_deps
        )
        known = load_preferences(session.root)
        interest = None if full else load_interest(session.root)
        root = session.root
    for one in found.warnings:
        terminal.note(terminal.printable(one))
    if as_json:
        terminal.write_json(_document(found, known, root))
    elif found.metrics.changes or found.params.changes:
        _show(found, known, (a_rev, b_rev), markdown, precision, not no_path, interest)
    elif not found.warnings and not quiet:
        terminal.note(f"no metric or parameter differs between {a_rev} and {b_rev}")
    return 0


def _document(found: Any, known: Mapping[str, Preference], root: str) -> dict[str, Any]:
    from mlxkit.experiments.difference import from_root
    from mlxkit.metrics.judgement import is_better

    def better(name: str, change: Mapping[str, Any]) -> dict[str, Any]:
        return {**change, "better": is_better(name, dict(change), known)}

    metrics = {
        from_root(root, path): {name: better(name, change) for name, change in names.items()}
        for path, names in found.metrics.changes.items()
    }
    params = {from_root(root, path): names for path, names in found.params.changes.items()}
    return {"metrics": metrics, "params": params}


def _show(
    found: Any,
    known: Mapping[str, Preference],
    revs: tuple[str, str],
    markdown: bool,
    precision: int,
    paths: bool,
    interest: Interest | None,
) -> None:
    from mlxkit.cli.compare_diff import Brief, judged_by, show_changes, show_markdown

    judge = judged_by(known)
    metrics, params = found.metrics.changes, found.params.changes
    if markdown:
        if metrics:
            show_markdown(metrics, "Metric", revs, judge=judge, precision=precision, paths=paths)
        if metrics and params:
            terminal.write()
        if params:
            show_markdown(params, "Param", revs, precision=ALL_DIGITS, paths=paths)
        return
    # What was changed, then what it did: as in `mlx exp show`.
    if params:
        show_changes(params, precision=ALL_DIGITS, paths=paths)
    if metrics and params:
        terminal.write()
    brief = Brief(lambda names: by_importance(names, interest), "--full") if interest else None
    if metrics:
        show_changes(metrics, judge=judge, precision=precision, paths=paths, brief=brief)

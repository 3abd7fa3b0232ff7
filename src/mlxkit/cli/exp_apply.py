"""`mlx exp apply`: an experiment's files and data in the working tree."""

from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.bar import bar
from mlxkit.cli.checkout import changes_json, report_failed, show_changes
from mlxkit.cli.exp_options import OneExperiment
from mlxkit.cli.options import Json, Quiet, Verbose, Wait, new_app
from mlxkit.cli.terminal import printable
from mlxkit.core.errors import ExitCode
from mlxkit.data.checkout import Changes, check_out
from mlxkit.data.tracked import tracked
from mlxkit.project import open_for_change

app = new_app()


@app.command()
def apply(
    experiment: OneExperiment,
    force: Annotated[
        bool,
        typer.Option(
            "--force/--no-force",
            "-f",
            help="Replace changes that are in no commit; a commit keeps what Git can.",
        ),
    ] = False,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Data that the cache lacks are no error.")
    ] = False,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Make the working tree an experiment's; the branch and the index stay as they are.

    Example: mlx exp apply lime-otter && git commit -am 'a better model'
    """
    from mlxkit.experiments import apply as applying
    from mlxkit.experiments.refs import find_experiment
    from mlxkit.tools.git import require_root

    root = require_root(".")
    found = find_experiment(root, experiment)
    with open_for_change(".", wait, terminal.note) as session:
        prepared = applying.prepare(session, found)
        applying.check(session, found, prepared, force=force, allow_missing=allow_missing)
        kept = applying.apply(session, found, prepared)
    # The project's files are others now: it is opened again.
    with open_for_change(".", wait, terminal.note) as session, bar(quiet=quiet) as progress:
        changes = check_out(
            session, tracked(session), everything=True, force=force, progress=progress
        )
    count = len(prepared.plan.write) + len(prepared.plan.remove)
    if as_json:
        document = {"applied": found.name, "commit": found.commit, "files": count, "kept": kept}
        terminal.write_json({**document, **changes_json(changes)})
    elif not quiet:
        _tell(found, count, changes, kept)
        _tell_baseline(root, found)
    if changes.failed and not allow_missing:
        report_failed(changes, as_json)
        return ExitCode.FAILED
    return ExitCode.OK


def _tell(found: Any, count: int, changes: Changes, kept: str | None) -> None:
    if any(changes[:3]):
        show_changes(changes)
    name = printable(found.name)
    terminal.write(f"applied '{name}': {terminal.counted(count, 'tracked file')} changed")
    if kept is not None:
        terminal.note(f"what was replaced is in commit {kept[:12]}   (git diff HEAD {kept[:12]})")


def _tell_baseline(root: str, found: Any) -> None:
    """Say that files are as they were in an older commit, where that is so."""
    from mlxkit.tools.git import commit_id

    if commit_id(root, "HEAD") != found.baseline:
        terminal.note(
            f"it was made from {found.baseline[:7]}, not from the current commit: "
            "what changed in between is undone in your files, too   (git diff)"
        )

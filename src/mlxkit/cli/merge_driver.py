"""`mlx merge-driver`: what Git calls to merge `dvc.lock` and `.dvc` files."""

import os
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.merging import merge
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.report import report
from mlxkit.core.errors import ExitCode, MlxError, UsageError
from mlxkit.pipeline.lock_sides import Marks

app = new_app()
FAILED = 129
"""What Git takes for a failure of the driver itself: with less it would go on as in a conflict."""


@app.command()
def merge_driver(
    base: Annotated[
        str, typer.Argument(metavar="BASE", help="The common ancestor's version (%O).")
    ] = "",
    ours: Annotated[
        str, typer.Argument(metavar="OURS", help="Our version, replaced by the merge (%A).")
    ] = "",
    theirs: Annotated[str, typer.Argument(metavar="THEIRS", help="Their version (%B).")] = "",
    path: Annotated[
        str, typer.Option("--path", metavar="PATH", help="The file's name in the repository (%P).")
    ] = "",
    size: Annotated[
        int,
        typer.Option(
            "--marker-size", metavar="N", min=1, help="How long conflict markers are (%L)."
        ),
    ] = 7,
    ours_label: Annotated[
        str, typer.Option("--ours", metavar="LABEL", help="What our side is called (%X).")
    ] = "",
    theirs_label: Annotated[
        str, typer.Option("--theirs", metavar="LABEL", help="What their side is called (%Y).")
    ] = "",
    install: Annotated[
        bool, typer.Option("--install", help="Let Git use it in this clone.")
    ] = False,
    uninstall: Annotated[
        bool, typer.Option("--uninstall", help="Let Git do without it again.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Merge dvc.lock and .dvc files a stage at a time; Git calls this, once it is installed.

    Example: mlx merge-driver --install
    """
    if install or uninstall:
        if base or (install and uninstall):
            raise UsageError("give --install or --uninstall, and nothing else")
        return _install(uninstall, as_json, quiet)
    if not (base and ours and theirs):
        raise UsageError("BASE, OURS and THEIRS are missing", hint="see: mlx merge-driver --help")
    marks = Marks(_label(ours_label, "%X", "ours"), _label(theirs_label, "%Y", "theirs"), size)
    try:
        outcome = merge(base, ours, theirs, path or ours, marks)
    except MlxError as error:
        report(error.code, error.message, error.hint, path or error.where, as_json=as_json)
        return FAILED
    except OSError as error:
        where = os.path.relpath(error.filename) if error.filename else path
        report("failed", error.strerror or str(error), None, where, as_json=as_json)
        return FAILED
    if as_json:
        document = {"merged": not outcome.conflicts, "conflicts": list(outcome.conflicts)}
        terminal.write_json({**document, "by_lines": outcome.by_lines})
    elif not quiet:
        for line in outcome.told:
            terminal.note(line)
    return ExitCode.FAILED if outcome.conflicts else ExitCode.OK


def _label(given: str, unknown: str, default: str) -> str:
    """Return what Git calls a side; a version that has no name for it hands over the question."""
    label = " ".join(given.split()).encode(errors="replace").decode()
    return default if label in ("", unknown) else label


def _install(undo: bool, as_json: bool, quiet: bool) -> int:
    from mlxkit.project import find_root
    from mlxkit.tools import git, git_merge

    folder = find_root(".")
    top = git.require_root(folder)
    if undo:
        git_merge.unconfigure(top)
        changed = git_merge.remove_attributes(folder)
    else:
        git_merge.configure(top)
        changed = git_merge.add_attributes(folder)
    others = {key: one for key, one in git_merge.chosen(folder).items() if one != git_merge.NAME}
    if as_json:
        terminal.write_json({"installed": not undo, "changed": changed, "others": others})
    elif not quiet:
        done = "no longer merges" if undo else "merges"
        terminal.write(f"Git {done} dvc.lock and .dvc files with mlx in this clone")
        for pattern, driver in others.items():
            if not undo:
                terminal.note(f".gitattributes says merge={driver} of {pattern}: left as it is")
        if changed:
            name = os.path.relpath(os.path.join(folder, ".gitattributes"))
            terminal.note(f"commit {name}: it counts in every clone")
    return ExitCode.OK

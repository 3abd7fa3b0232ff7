"""`mlx log PATH`: the versions of a tracked path, and what changed from one to the next."""

import shlex
from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.knowing import knowing
from mlxkit.cli.options import Json, Quiet, new_app
from mlxkit.cli.terminal import printable, styled
from mlxkit.core.errors import ExitCode, UsageError
from mlxkit.lineage.answer import Params
from mlxkit.lineage.document import changes
from mlxkit.lineage.log import History, Version, history_of, log_document
from mlxkit.lineage.what import from_repository
from mlxkit.metrics.load import flatten
from mlxkit.runs.choose import project_of
from mlxkit.versions.find import commit_named

app = new_app()

_MOST = 8  # changed values of a version


@app.command()
def log(
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="A path that a stage or `mlx add` tracks.")
    ],
    rev: Annotated[
        str,
        typer.Option("--rev", metavar="REV", help="The history of that branch or commit."),
    ] = "HEAD",
    everywhere: Annotated[
        bool, typer.Option("--all", help="On all branches, tags, stashes and experiments.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option("-n", metavar="N", min=1, help="The newest N versions.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """List the versions of a tracked path, newest first, with parameters and metrics that changed.

    Exits with 3 when the path is on no record.

    Example: mlx log model.skops
    """
    with knowing(quiet=quiet) as index:
        start = commit_named(index.git_root, rev, project_of(index.root, index.git_root))
        if not everywhere and rev != "HEAD" and start is None:
            raise UsageError(
                f"'{rev}' is no revision of this repository", hint="see: git log --oneline --all"
            )
        wanted = from_repository(index, path)
        found = history_of(index, wanted, rev=None if everywhere else start or rev, limit=limit)
    if as_json:
        terminal.write_json({"path": wanted, "versions": log_document(found.versions)})
    elif not quiet:
        for one in found.versions:
            _show(one, wanted)
        _remark(found, path, "any commit" if everywhere else f"a commit that {rev} reaches")
    return ExitCode.OK if found.versions else ExitCode.CHECK_FAILED


def _remark(found: History, path: str, where: str) -> None:
    """Say what cannot be told, and where else to look."""
    if found.unlisted:
        count = terminal.counted(found.unlisted, "version")
        terminal.note(f"note: {count} of {found.folder}: the list of its files is not in the cache")
        terminal.note("hint: bring it: mlx fetch --all-commits")
    elif not found.versions:
        terminal.note(f"'{path}' is not recorded in {where}")
        terminal.note(f"hint: of code and other files of Git's: git log -- {shlex.quote(path)}")


def _show(one: Version, path: str) -> None:
    made = one.made
    head = f"commit {made.commit}" if made.commit else "not committed yet"
    terminal.write(styled(head, "yellow"))
    if made.commit:
        terminal.write(f"Author: {printable(made.author)}")
        terminal.write(f"Date:   {printable(made.date.replace('T', ' '))}")
    size = f"  {terminal.size(made.size)}" if made.size is not None else ""
    stage = "" if made.is_data else f"  by {printable(made.stage)}"
    terminal.write(f"Data:   {printable(made.md5)}{size}{stage}")
    if one.renamed_from is not None:
        terminal.write(f"Moved:  {printable(one.renamed_from)} -> {printable(made.path)}")
    elif made.path != path:
        terminal.write(f"Path:   {printable(made.path)}")
    terminal.write()
    if made.subject:
        terminal.write(f"    {printable(made.subject)}")
    if made.border:
        terminal.write("    " + styled("(a shallow clone begins here: it may be older)", "yellow"))
    _show_values("params", one.before, made.params, made.params)
    _show_values("metrics", one.metrics_before, one.metrics, one.metrics)
    terminal.write()


def _show_values(label: str, before: Params | None, now: Params, first: Params) -> None:
    if before is None:
        lines = [
            f"{_name(file, name)} {_value(value)}"
            for file, values in first.items()
            for name, value in flatten(values).items()
        ]
    else:
        lines = [
            f"{_name(file, name)} {_value(old)} -> {_value(new)}"
            for file, values in changes(before, now).items()
            for name, (old, new) in values.items()
        ]
    hidden = len(lines) - _MOST
    for number, line in enumerate(lines[:_MOST] if hidden > 1 else lines):
        name = styled(f"{'' if number else label:<8}", "dim")
        terminal.write(f"    {name} {printable(line)}".rstrip())
    if hidden > 1:
        terminal.write(f"    {'':<8} {hidden} more: --json")


def _name(file: str, name: str) -> str:
    return f"{file}:{name}"


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

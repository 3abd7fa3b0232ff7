"""`mlx ci commit`: what a run of the pipeline wrote, as a commit."""

from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.cli.terminal import printable
from mlxkit.core.errors import ExitCode, UsageError

app = new_app()


@app.command()
def commit(
    message: Annotated[
        str, typer.Option("--message", "-m", metavar="TEXT", help="The commit's message.")
    ] = "Bring the lock up to date",
    check: Annotated[
        bool, typer.Option("--check", help="Commit nothing; exit with 3 if there is something.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Commit lock files, .dvc files and outputs that Git keeps, where they changed; nothing else.

    With --check it tells whether the lock that is committed was up to date. In a workflow the
    output `changed` is true or false.

    Example: mlx repro && mlx ci commit
    """
    from mlxkit.ci.event import write_output
    from mlxkit.ci.record import commit_changes, find_changes

    if not message.strip():
        raise UsageError("the message is empty")
    with reading() as session:
        changes = find_changes(session)
        made = commit_changes(session, changes, message) if changes.ours and not check else None
    write_output("changed", "true" if changes.ours else "false")
    if as_json:
        document = {"commit": made, "changed": changes.ours, "left": changes.others}
        terminal.write_json(document)
    elif not quiet:
        _show(changes.ours, made)
    if changes.others and not quiet and not as_json:
        shown = ", ".join(printable(one) for one in changes.others[:5])
        more = f" and {len(changes.others) - 5} more" if len(changes.others) > 5 else ""
        terminal.note(f"left alone: {shown}{more}")
    if check and changes.ours:
        terminal.note("hint: run mlx repro, commit what it wrote, and push it with mlx push")
        return ExitCode.CHECK_FAILED
    return ExitCode.OK


def _show(ours: object, made: str | None) -> None:
    assert isinstance(ours, list)
    if not ours:
        terminal.write("what is committed is up to date")
        return
    terminal.write(f"committed {made[:7]}:" if made else "not up to date in what is committed:")
    for one in ours:
        terminal.write(f"  {printable(one)}")

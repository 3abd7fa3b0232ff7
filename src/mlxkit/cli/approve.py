"""`mlx approve`: a person's yes to a gate, at one commit with its data, in the audit log."""

from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.gate import complete_gates
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.core.errors import ExitCode

app = new_app()


@app.command()
def approve(
    gate: Annotated[
        str,
        typer.Argument(
            metavar="GATE", help="The gate that asks for it.", autocompletion=complete_gates
        ),
    ],
    rev: Annotated[
        str, typer.Option(metavar="REV", help="The commit that is approved; HEAD by default.")
    ] = "",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="What was looked at, or why.")] = "",
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Approve a commit and the data that it records, for a gate with an approval rule.

    It is an event of the audit log with your name, signed where Git signs commits for you, and
    goes with mlx push. Another commit, or other data, needs another approval. Exits with 3 when no
    rule counts it.

    Example: mlx approve deployment --rev v1.2 --reason 'read the report'
    """
    from mlxkit.gates.approve import approve as approve_gate

    with reading() as session:
        done = approve_gate(session, gate, rev or None, reason)
    if as_json:
        terminal.write_json(
            {
                "gate": gate,
                **done.thing._asdict(),
                "name": done.name,
                "email": done.email,
                "counts": not done.refused,
                "why": done.refused or None,
            }
        )
    elif not quiet:
        word = ("not counted", "yellow") if done.refused else ("approved", "green")
        terminal.write(
            f"{terminal.styled(*word)}  {terminal.printable(gate)} at {done.thing.commit[:12]} "
            f"by {terminal.printable(done.name)}"
        )
        if not done.refused:
            terminal.note("to share it: mlx push")
    if done.refused:
        terminal.note(f"this is on record, and does not count: {done.refused}")
    return ExitCode.CHECK_FAILED if done.refused else ExitCode.OK

"""`mlx model rollback`: a stage back to the version before."""

from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.model_options import (
    GitRemote,
    ModelName,
    Push,
    complete_stages,
    target,
    tell_pushed,
)
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading

app = new_app()


@app.command()
def rollback(
    name: ModelName,
    stage: Annotated[
        str, typer.Argument(metavar="STAGE", help="A stage.", autocompletion=complete_stages)
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="VERSION", help="One that was in it; the one before.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; needed.")] = "",
    push: Push = False,
    git_remote: GitRemote = "",
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Put the version into a stage that was in it before, without asking a gate again.

    That is the one assigned last which is another and was not itself rolled back from.

    Example: mlx model rollback census prod --reason 'recall dropped'
    """
    from mlxkit.registry.promote import rollback

    with reading() as session:
        done = rollback(
            session, name, stage, to=to, reason=reason, push=target(push, git_remote)
        )  # fmt: skip
    assert done.tag is not None
    if as_json:
        terminal.write_json(
            {"model": done.model, "stage": done.stage, "version": done.version,
             "before": done.before, "commit": done.commit, "tag": done.tag,
             "reason": done.reason, "pushed": done.pushed}
        )  # fmt: skip
    elif not quiet:
        terminal.write(
            f"{terminal.styled(done.tag, 'bold')} -> {done.version}, before {done.before}"
        )
        tell_pushed(done.tag, done.pushed)
    return 0

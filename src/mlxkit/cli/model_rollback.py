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
        str,
        typer.Argument(
            metavar="STAGE", help="A stage, such as prod.", autocompletion=complete_stages
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="VERSION", help="A version that was in it; the one before by default."
        ),
    ] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; required.")] = "",
    push: Push = False,
    git_remote: GitRemote = "",
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Put the version that was in a stage before back into it; no gate is judged again.

    Versions that were themselves rolled back from are passed over.

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
        tell_pushed(session.git_root, done.tag, done.pushed)
    return 0

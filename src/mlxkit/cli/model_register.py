"""`mlx model register`: a version of a model."""

from typing import Annotated, Literal

import typer

from mlxkit.cli import terminal
from mlxkit.cli.model_options import GitRemote, ModelName, Push, content_json, target, tell_pushed
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.cli.terminal import printable

app = new_app()


@app.command()
def register(
    name: ModelName,
    path: Annotated[
        str,
        typer.Argument(
            metavar="[PATH]", help="The model's file or folder; by default as dvc.yaml declares it."
        ),
    ] = "",
    version: Annotated[
        str, typer.Option("--version", metavar="1.2.3", help="Its version; the next by default.")
    ] = "",
    bump: Annotated[
        Literal["major", "minor", "patch"] | None,
        typer.Option("--bump", metavar="PART", help="major, minor or patch: the part to increase."),
    ] = None,
    rev: Annotated[
        str, typer.Option("--rev", metavar="REV", help="A commit; HEAD by default.")
    ] = "",
    message: Annotated[
        str, typer.Option("--message", "-m", metavar="TEXT", help="Text for the tag.")
    ] = "",
    declare: Annotated[
        bool, typer.Option("--declare", help="Add the model to dvc.yaml, if it is not there.")
    ] = False,
    push: Push = False,
    git_remote: GitRemote = "",
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Give the model that a commit records a version: an annotated Git tag, NAME@v1.2.3.

    Example: mlx model register census models/boosting.skops --bump minor
    """
    from mlxkit.registry.register import Request, register

    asked = Request(
        name, path, version, bump or "", rev, message, declare, target(push, git_remote)
    )  # fmt: skip
    with reading() as session:
        done = register(session, asked)
    if as_json:
        terminal.write_json(
            {"model": done.model, "version": done.version, "commit": done.commit, "tag": done.tag,
             "content": content_json(done.content), "pushed": done.pushed}
        )  # fmt: skip
    elif not quiet:
        of = f"{printable(done.content.path)} {done.content.md5[:12]}"
        terminal.write(f"{terminal.styled(done.tag, 'bold')} -> {done.commit[:7]}  {of}")
        tell_pushed(session.git_root, done.tag, done.pushed)
    return 0

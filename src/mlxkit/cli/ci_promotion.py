"""`mlx ci promotion`: what a tag asks a workflow to deploy."""

from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.terminal import printable
from mlxkit.core.errors import ExitCode

app = new_app()


@app.command()
def promotion(
    tag: Annotated[
        str, typer.Argument(metavar="[TAG]", help="By default the one that started this run.")
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 3 where nothing is to be deployed.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Tell which version of which model a promotion tag brings to which stage.

    In a workflow the outputs are `deploy`, `model`, `version` and `stage`. Nothing is to be
    deployed where the tag takes a stage back, where a newer one came after it, or where it is not
    at what is checked out.

    Example: mlx ci promotion 'census#prod#4'
    """
    from mlxkit.ci.event import write_output
    from mlxkit.ci.promotion import read_promotion, tag_of
    from mlxkit.project import find_root
    from mlxkit.runs.choose import project_of
    from mlxkit.tools.git import require_root

    git_root = require_root(".")
    found = read_promotion(git_root, project_of(find_root("."), git_root), tag or tag_of())
    write_output("deploy", "false" if found.why else "true")
    for name in ("model", "version", "stage"):
        write_output(name, getattr(found, name))
    if as_json:
        terminal.write_json({"deploy": not found.why, **found._asdict()})
    elif found.why:
        terminal.write(f"{printable(found.tag)}: nothing to deploy: {printable(found.why)}")
    elif not quiet:
        terminal.write(f"{found.model}@{found.version} to {found.stage}")
    return ExitCode.CHECK_FAILED if check and found.why else ExitCode.OK

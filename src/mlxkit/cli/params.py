"""`mlx params show`: the parameters that stages use; other views come from DVC."""

import os
from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.handover import give_to_dvc
from mlxkit.cli.options import Json, Quiet, Targets, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.cli.tables import show_files
from mlxkit.metrics.load import flatten
from mlxkit.pipeline.params import read_file
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Stage
from mlxkit.pipeline.targets import find_stages

app = new_app()


@app.callback()
def params() -> None:
    """Show parameters; compare them between revisions."""


@app.command()
def show(
    targets: Targets = None,
    deps: Annotated[bool, typer.Option("--deps", help="Only what stages declare.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Show the parameter files of the working tree, or what some stages use of them.

    Example: mlx params show train
    """
    with reading() as session:
        chosen = find_stages(session.declared, targets or [])
        only_declared = deps or bool(targets)
        files = _declared(session, chosen) if only_declared else _whole(session)
    if as_json:
        terminal.write_json({"": {"data": {path: {"data": one} for path, one in files.items()}}})
    elif files:
        show_files([(path, flatten(one)) for path, one in files.items()], "parameter", {})
    else:
        terminal.note("no stage declares parameters: add `params:` to one in dvc.yaml")
    return 0


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def diff(ctx: typer.Context) -> int:
    """Compare parameters between revisions (from DVC)."""
    return give_to_dvc(["params", "diff", *ctx.args])


def _declared(session: Session, chosen: list[Stage]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for stage in chosen or session.declared.stages:
        for one in stage.params:
            values = session.workspace.values(one) or {}
            found.setdefault(os.path.relpath(one.abs), {}).update(values)
    return found


def _whole(session: Session) -> dict[str, Any]:
    used = [one.abs for stage in session.declared.stages for one in stage.params]
    default = os.path.join(session.root, "params.yaml")
    paths = dict.fromkeys([default, *session.declared.params, *used])
    return {os.path.relpath(path): read_file(path) for path in paths if os.path.isfile(path)}

"""`mlx logs [STAGE]`: what a stage printed."""

import os
import sys
import time
from typing import Annotated
from urllib.parse import unquote

import typer

from mlxkit.cli import terminal
from mlxkit.cli.options import Quiet, Verbose, complete_stages, new_app
from mlxkit.core.errors import MlxError
from mlxkit.pipeline.records import log_path, tail
from mlxkit.pipeline.rundir import running_stages
from mlxkit.pipeline.targets import find_stages
from mlxkit.project import find_root, open_project

app = new_app()

FOLLOW_SECONDS = 0.2


@app.command()
def logs(
    stage: Annotated[
        str | None,
        typer.Argument(metavar="[STAGE]", help="A stage.", autocompletion=complete_stages),
    ] = None,
    lines: Annotated[
        int, typer.Option("--lines", "-n", metavar="N", min=0, help="Only the last lines; 0: all.")
    ] = 0,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Keep printing while the stage runs.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Show what a stage printed when it last ran, or now; without a stage, list the logs.

    Example: mlx logs train -n 50
    """
    if stage is None:
        _list(find_root("."))
        return 0
    session = open_project(say=terminal.note)
    for one in find_stages(session.declared, [stage]):
        path = log_path(session.root, one.address(session.root))
        if not os.path.exists(path):
            raise MlxError(
                f"stage '{one.address(os.getcwd())}' has not run here",
                hint=f"run it with: mlx repro -f -s {one.address(os.getcwd())}",
            )
        if lines:
            for line in tail(path, lines):
                terminal.write(line)
        _copy(path, session.root, one.key, follow, skip=bool(lines))
    return 0


def _list(root: str) -> None:
    folder = os.path.join(root, ".mlx", "logs")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    if not names:
        terminal.note("no stage has run here yet")
    for name in names:
        status = os.stat(os.path.join(folder, name))
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(status.st_mtime))
        terminal.write(f"{when}  {status.st_size:>9}  {unquote(name.removesuffix('.log'))}")


def _copy(path: str, root: str, key: str, follow: bool, *, skip: bool) -> None:
    with open(path, "rb") as file:
        if skip:
            file.seek(0, os.SEEK_END)
        while True:
            running = follow and key in running_stages(root)
            sys.stdout.write(file.read().decode("utf-8", errors="replace"))
            sys.stdout.flush()
            if not running:
                return
            time.sleep(FOLLOW_SECONDS)

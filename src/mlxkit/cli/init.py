"""`mlx init`: start a project in a Git repository, or in a subfolder of one."""

import os
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.core.errors import MlxError, ProjectError
from mlxkit.core.files import write_atomic
from mlxkit.pipeline.rundir import prepare_folder
from mlxkit.tools import dvc, git, git_merge

app = new_app()

NEXT = """next:
  mlx add data.csv                 track a file or folder
  mlx stage add -n train -d data.csv -d train.py -o model.bin python train.py
  mlx repro                        run what changed"""


@app.command()
def init(
    directory: Annotated[str, typer.Argument(metavar="[DIR]", help="The project's folder.")] = ".",
    no_scm: Annotated[bool, typer.Option("--no-scm", help="Work without Git.")] = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Set DVC up again from scratch.")
    ] = False,
    subdir: Annotated[
        bool, typer.Option("--subdir", help="Accepted as DVC's; subfolders are noticed anyway.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Start a project in this Git repository, or in this subfolder of one; sets up DVC too.

    Example: git init && mlx init
    """
    os.makedirs(directory, exist_ok=True)
    os.chdir(directory)
    here = os.getcwd()
    top = git.find_root(here)
    if top is None and not no_scm:
        raise ProjectError("this is not a Git repository", hint="run: git init && mlx init")
    made = force or not os.path.isdir(os.path.join(here, ".dvc"))
    if made:
        below = top is not None and os.path.realpath(top) != os.path.realpath(here)
        flags = [("--no-scm", no_scm), ("--subdir", below and not no_scm), ("--force", force)]
        _init_dvc([flag for flag, wanted in flags if wanted])
    prepare_folder(here)
    written = []
    if not no_scm:
        written = [
            *([".gitignore"] if _ignore_ours(here) else []),
            *([".gitattributes"] if _merge_ours(here) else []),
        ]
        if written or made:
            _stage(here)
    if as_json:
        terminal.write_json({"root": here, "created": made})
    elif not quiet:
        terminal.write("started a project" if made else "this is a project already")
        if made:
            terminal.note(NEXT)
        elif written:
            terminal.note(f"staged for the next commit: {', '.join(written)}")
    return 0


def _init_dvc(flags: list[str]) -> None:
    code, said = dvc.capture(["init", "--quiet", *flags])
    if code != 0:
        raise MlxError(f"dvc init failed: {said}")


def _ignore_ours(here: str) -> bool:
    """Add `/.mlx` to `.gitignore`; return whether it was not there."""
    path = os.path.join(here, ".gitignore")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        text = ""
    if any(line.strip().strip("/") == ".mlx" for line in text.splitlines()):
        return False
    gap = "" if not text or text.endswith("\n") else "\n"
    write_atomic(path, f"{text}{gap}/.mlx\n".encode())
    return True


def _merge_ours(here: str) -> bool:
    """Let Git call mlx to merge locks; return whether `.gitattributes` did not say so."""
    if not git_merge.is_configured(here):
        git_merge.configure(here)
    return git_merge.add_attributes(here)


def _stage(here: str) -> None:
    """Stage what was made, as `dvc init` stages its own files."""
    made = [".dvc/.gitignore", ".dvc/config", ".dvcignore", ".gitattributes", ".gitignore"]
    git.add(here, [name for name in made if os.path.exists(os.path.join(here, name))])

"""`mlx doctor`: find what is broken, and mend it."""

import os
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, Wait, new_app
from mlxkit.core.errors import ExitCode, MlxError
from mlxkit.pipeline.checkup import (
    Finding,
    check_dvc,
    check_locks,
    check_memory,
    check_merges,
    check_session,
)
from mlxkit.project import find_root, mend, open_project
from mlxkit.tools import git, git_merge

app = new_app()


@app.command()
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended.")] = False,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Find what is broken: truncated lock files, stale locks, a wrong index, a missing tool.

    Example: mlx doctor --fix
    """
    root = find_root(".")
    found = _examine(root)
    mended: list[Finding] = []
    if fix and any(one.can_mend for one in found):
        if any(one.kind == "merge-driver" for one in found):
            git_merge.configure(git.require_root(root))
        if any(one.can_mend and one.kind != "merge-driver" for one in found):
            mend(root, wait, terminal.note)
        after = _examine(root)
        mended = [one for one in found if one not in after]
        found = after
    if as_json:
        terminal.write_json(
            {
                "ok": not found,
                "problems": [
                    {
                        "kind": one.kind,
                        "what": one.what,
                        "hint": one.hint,
                        "fixable": one.can_mend,
                    }
                    for one in found
                ],
                "fixed": [{"kind": one.kind, "what": one.what} for one in mended],
            }
        )
    elif not quiet:
        _show(found, mended)
    return ExitCode.CHECK_FAILED if found else ExitCode.OK


def _examine(root: str) -> list[Finding]:
    found = [*check_dvc(), *check_locks(root), *check_merges(root), *check_memory(root)]
    try:
        session = open_project(root, say=lambda _: None)
        found += check_session(session)
    except MlxError as error:
        found.append(Finding("project", str(error), error.hint or "correct the file"))
    return found


def _show(found: list[Finding], mended: list[Finding]) -> None:
    for one in mended:
        terminal.write(f"{terminal.styled('mended', 'green')}  {one.what}")
    for one in found:
        terminal.write(f"{terminal.styled('wrong', 'red')}   {one.what}")
        terminal.write(f"        {one.hint}")
    if not found:
        terminal.write(f"{os.path.basename(os.getcwd())}: all is well")

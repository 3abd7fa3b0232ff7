"""`mlx add`: track data files and folders."""

import os
import shlex
from glob import iglob
from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.bar import bar
from mlxkit.cli.handover import give_to_dvc
from mlxkit.cli.options import Glob, Json, Quiet, Verbose, Wait, new_app
from mlxkit.core.errors import ExitCode, UsageError
from mlxkit.data.add import Added, LeftToDvc
from mlxkit.data.add import add as add_paths
from mlxkit.project import open_for_change

app = new_app()


@app.command()
def add(
    targets: Annotated[list[str], typer.Argument(metavar="TARGETS...", help="Files or folders.")],
    no_commit: Annotated[
        bool, typer.Option("--no-commit", help="Do not put them into the cache.")
    ] = False,
    glob: Glob = False,
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="PATH", help="Copy there first (from DVC).")
    ] = "",
    to_remote: Annotated[
        bool, typer.Option("--to-remote", help="Straight to a remote (from DVC).")
    ] = False,
    remote: Annotated[
        str, typer.Option("--remote", "-r", metavar="NAME", help="That one (from DVC).")
    ] = "",
    remote_jobs: Annotated[
        int, typer.Option("--remote-jobs", metavar="N", help="Uploads at once (from DVC).")
    ] = 0,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Replace what is at --out (from DVC).")
    ] = False,
    no_relink: Annotated[
        bool, typer.Option("--no-relink", help="Leave the files as they are, no links.")
    ] = False,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Track data files or folders: into the cache, a .dvc file for Git, an entry in .gitignore.

    Example: mlx add data/images
    """
    paths = _expanded(targets) if glob else targets
    flags = [
        *(["--no-commit"] if no_commit else []),
        *(["--out", out] if out else []),
        *(["--to-remote"] if to_remote else []),
        *(["--remote", remote] if remote else []),
        *(["--remote-jobs", str(remote_jobs)] if remote_jobs else []),
        *(["--force"] if force else []),
        *(["--no-relink"] if no_relink else []),
        *(["--quiet"] if quiet or as_json else []),
    ]
    if out or to_remote or remote:
        return _by_dvc(flags, paths, as_json)
    try:
        with open_for_change(".", wait, terminal.note) as session, bar(quiet=quiet) as progress:
            added = add_paths(
                session, paths, no_commit=no_commit, relink=not no_relink, progress=progress
            )
    except LeftToDvc:
        return _by_dvc(flags, paths, as_json)
    if as_json:
        terminal.write_json({"added": [added_json(one) for one in added]})
    elif not quiet:
        _show(added)
    return ExitCode.OK


def _by_dvc(flags: list[str], paths: list[str], as_json: bool) -> int:
    if as_json:
        raise UsageError("this kind of `add` is DVC's own and has no JSON", hint="leave --json out")
    return give_to_dvc(["add", *flags, "--", *paths])


def _expanded(targets: list[str]) -> list[str]:
    found = [path for target in targets for path in sorted(iglob(target, recursive=True))]
    if not found:
        raise UsageError(f"nothing matches {' '.join(targets)}", hint="check the pattern")
    return found


def added_json(one: Added) -> dict[str, Any]:
    """Return the contract's form of what is tracked."""
    return {
        "path": os.path.relpath(one.path),
        "dvcfile": os.path.relpath(one.dvcfile),
        "md5": one.content.md5,
        "size": one.content.size,
        "nfiles": one.content.nfiles,
    }


def _show(added: list[Added]) -> None:
    for one in added:
        size = terminal.size(one.content.size)
        nfiles = one.content.nfiles
        files = "" if nfiles is None else f"{nfiles:,} file{'s' if nfiles != 1 else ''}, "
        terminal.write(f"added {os.path.relpath(one.path)} ({files}{size})")
    written = [os.path.relpath(one.dvcfile) for one in added]
    ignores = {os.path.join(os.path.dirname(file), ".gitignore") for file in written}
    named = shlex.join([*written, *sorted(ignores)])
    terminal.note(f"to record the result: git add {named}")

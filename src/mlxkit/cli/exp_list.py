"""`mlx exp list`: experiments by the commit that they are made from."""

from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.exp_options import AllCommits, Num, Revs, complete_remotes
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.terminal import printable
from mlxkit.core.errors import UsageError

app = new_app()


@app.command()
def list_(
    git_remote: Annotated[
        str,
        typer.Argument(
            metavar="[GIT_REMOTE]",
            help="Of that Git remote, or URL.",
            autocompletion=complete_remotes,
        ),
    ] = "",
    rev: Revs = None,
    num: Num = 1,
    all_commits: AllCommits = False,
    name_only: Annotated[
        bool, typer.Option("--name-only", "--names-only", help="Only names.")
    ] = False,
    sha_only: Annotated[
        bool, typer.Option("--sha-only", "--shas-only", help="Only ids of commits.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """List experiments made from the current commit, or from others.

    Example: mlx exp list -A
    """
    from mlxkit.experiments.baselines import Wanted, chosen, names
    from mlxkit.experiments.remove import everywhere
    from mlxkit.tools.git import require_root
    from mlxkit.tools.git_remote import find_remote

    if name_only and sha_only:
        raise UsageError("--name-only and --sha-only exclude each other")
    root = require_root(".")
    remote = find_remote(root, git_remote) if git_remote else None
    wanted = Wanted(tuple(rev or ()), num, commits=all_commits)
    every = everywhere(root, remote)
    found = chosen(root, [], wanted, every)
    titles = names(root)
    if as_json:
        terminal.write_json([{**one._asdict(), "of": titles.get(one.baseline)} for one in found])
    elif name_only or sha_only:
        for one in found:
            terminal.write(printable(one.name) if name_only else one.commit)
    else:
        _show(found, titles)
    if not found and not as_json and not quiet:
        at = f" {git_remote}" if git_remote else ""
        more = f"; {len(every)} of other commits: mlx exp list{at} -A" if every else ""
        terminal.note(f"no experiments of this commit{more}")
    return 0


def _show(found: list[Any], titles: dict[str, str]) -> None:
    from mlxkit.cli.exp_layout import length

    groups: dict[str, list[Any]] = {}
    for one in found:
        groups.setdefault(one.baseline, []).append(one)
    longest = max((length(printable(one.name)) for one in found), default=0)
    for baseline, group in groups.items():
        commit = terminal.styled(baseline[:7], "dim")
        title = printable(titles.get(baseline, ""))
        terminal.write(f"{terminal.styled(title, 'bold')}  {commit}" if title else baseline[:7])
        for one in group:
            name = printable(one.name)
            gap = " " * (longest - length(name) + 2)
            terminal.write(f"  {name}{gap}{terminal.styled(one.commit[:7], 'dim')}")

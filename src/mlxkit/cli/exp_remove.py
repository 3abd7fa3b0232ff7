"""`mlx exp remove`: delete experiments."""

from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.exp_options import AllCommits, Experiments, GitRemote, Num, Revs
from mlxkit.cli.handover import give_to_dvc
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.terminal import printable
from mlxkit.core.errors import UsageError

app = new_app()

_SHOWN = 10


@app.command()
def remove(
    experiment: Experiments = None,
    rev: Revs = None,
    num: Num = 1,
    all_commits: AllCommits = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep those that are named, and remove all others.")
    ] = False,
    git_remote: GitRemote = "",
    queue: Annotated[
        bool, typer.Option("--queue", help="Those that wait in DVC's queue (from DVC).")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Delete experiments; their data stay in the cache until `mlx gc`.

    Example: mlx exp remove lime-otter && mlx exp remove --rev main --keep
    """
    _check(bool(experiment), bool(rev), all_commits, keep, queue, git_remote)
    if queue:
        return give_to_dvc(["exp", "remove", "--queue"])
    from mlxkit.experiments.baselines import Wanted, chosen
    from mlxkit.experiments.remove import everywhere
    from mlxkit.experiments.remove import remove as remove_experiments
    from mlxkit.tools.git import require_root
    from mlxkit.tools.git_remote import find_remote

    root = require_root(".")
    remote = find_remote(root, git_remote) if git_remote else None
    every = everywhere(root, remote)
    if experiment and remote is None and _is_queued(experiment, every):
        return give_to_dvc(["exp", "remove", *(["--keep"] if keep else []), *experiment])
    found = chosen(
        root, experiment or [], Wanted(tuple(rev or ()), num, commits=all_commits), every
    )
    gone = [one for one in every if one not in found] if keep else found
    remove_experiments(root, gone, remote)
    if as_json:
        terminal.write_json({"removed": [one._asdict() for one in gone]})
    elif not quiet:
        terminal.write(_told([one.name for one in gone], git_remote))
        if gone and remote is None:
            example = gone[0]
            terminal.note(
                f"still in Git for a while, e.g.: git branch NAME {example.commit[:7]}"
                f"   ({printable(example.name)})"
            )
    return 0


def _check(
    named: bool, rev: bool, everything: bool, keep: bool, queue: bool, git_remote: str
) -> None:
    if named == (rev or everything or queue):
        raise UsageError(
            "name experiments, or give one of --rev, --all-commits and --queue",
            hint="see: mlx exp remove --help",
        )
    if queue and (keep or git_remote):
        other = "--keep" if keep else "--git-remote"
        raise UsageError(f"--queue and {other} exclude each other")


def _is_queued(names: list[str], every: list[Any]) -> bool:
    """Tell whether a name is of no experiment, but perhaps of one in DVC's queue."""
    from mlxkit.experiments import queue
    from mlxkit.experiments.refs import named
    from mlxkit.project import find_root

    return queue.in_use(find_root(".")) and not all(named(every, one) for one in names)


def _told(names: list[str], remote: str) -> str:
    if not names:
        return "nothing to remove"
    shown = ", ".join(printable(name) for name in names[:_SHOWN])
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    where = f" from '{printable(remote)}'" if remote else ""
    return f"removed {terminal.counted(len(names), 'experiment')}{where}: {shown}{more}"

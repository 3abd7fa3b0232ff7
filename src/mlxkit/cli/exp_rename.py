"""`mlx exp rename`: another name for an experiment."""

from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.exp_options import GitRemote, OneExperiment
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.terminal import printable

app = new_app()


@app.command()
def rename(
    experiment: OneExperiment,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its new name.")],
    git_remote: GitRemote = "",
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Replace the experiment that has the name.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Give an experiment another name.

    Example: mlx exp rename lime-otter best-so-far
    """
    from mlxkit.experiments.baselines import Wanted, chosen
    from mlxkit.experiments.refs import find_experiment
    from mlxkit.experiments.remove import everywhere, rename_here, rename_there
    from mlxkit.tools.git import require_root
    from mlxkit.tools.git_remote import find_remote

    root = require_root(".")
    if git_remote:
        remote = find_remote(root, git_remote)
        old = chosen(root, [experiment], Wanted(), everywhere(root, remote))[0]
        new = rename_there(root, remote, old, name, force=force)
    else:
        old = find_experiment(root, experiment)
        new = rename_here(root, old, name, force=force)
    if as_json:
        terminal.write_json({"renamed": old.name, "name": new.name, "commit": new.commit})
    elif not quiet:
        terminal.write(f"'{printable(old.name)}' is now '{printable(new.name)}'")
    return 0

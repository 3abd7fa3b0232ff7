"""`mlx exp branch`: a Git branch of an experiment."""

from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.exp_options import OneExperiment
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.terminal import printable

app = new_app()


@app.command()
def branch(
    experiment: OneExperiment,
    name: Annotated[
        str, typer.Argument(metavar="[BRANCH]", help="Its name; EXPERIMENT-branch by default.")
    ] = "",
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Make a Git branch of an experiment; your files and the current branch stay.

    Example: mlx exp branch lime-otter better-model
    """
    from mlxkit.experiments.branch import make_branch
    from mlxkit.experiments.refs import find_experiment
    from mlxkit.tools.git import require_root

    root = require_root(".")
    found = find_experiment(root, experiment)
    made = make_branch(root, found, name)
    if as_json:
        terminal.write_json({"branch": made, "commit": found.commit, "experiment": found.name})
    elif not quiet:
        terminal.write(f"branch '{printable(made)}' is experiment '{printable(found.name)}'")
        terminal.note(f"go to it with: git checkout {printable(made)} && mlx checkout")
    return 0

"""`mlx ci`: what workflows on a server need; each sub-command is imported when it is called."""

import typer

from mlxkit.cli.late import LateSubcommands
from mlxkit.cli.options import HELP_NAMES

# name -> (module with an app, help).
COMMANDS = {
    "init": ("mlxkit.cli.ci_init", "Write workflows: test, train, review, deploy, retrain."),
    "comment": ("mlxkit.cli.ci_comment", "Keep one comment on a pull request up to date."),
    "base": ("mlxkit.cli.ci_base", "Print the commit to compare this branch with."),
    "commit": ("mlxkit.cli.ci_commit", "Commit what mlx repro wrote, and nothing else."),
    "update": ("mlxkit.cli.ci_update", "Bring imported data up to date; tell whether any is new."),
    "promotion": ("mlxkit.cli.ci_promotion", "Tell what a promotion tag deploys."),
}


class CiGroup(LateSubcommands):
    verb = "ci"
    late = COMMANDS


app = typer.Typer(
    cls=CiGroup,
    add_completion=False,
    rich_markup_mode=None,
    context_settings=HELP_NAMES,
)


@app.callback()
def ci() -> None:
    """Write GitHub workflows; run the steps that only they need, on your machine too.

    Example: mlx ci init --lock commit
    """

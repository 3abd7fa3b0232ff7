"""`mlx exp`: experiments; each sub-command is imported when it is called, the rest is DVC's."""

from typing import Any

import typer

from mlxkit.cli.late import LateSubcommands
from mlxkit.cli.options import HELP_NAMES

# name -> (module with an app, help).
COMMANDS = {
    "run": ("mlxkit.cli.exp_run", "Run experiments, several at once; your files stay as they are."),
    "show": ("mlxkit.cli.exp_show", "Show experiments with their metrics and parameters."),
    "diff": ("mlxkit.cli.exp_diff", "Compare metrics and parameters of two experiments."),
    "list": ("mlxkit.cli.exp_list", "List experiments, here or of a Git remote."),
    "apply": ("mlxkit.cli.exp_apply", "Bring an experiment into the working tree."),
    "branch": ("mlxkit.cli.exp_branch", "Make a Git branch of an experiment."),
    "rename": ("mlxkit.cli.exp_rename", "Give an experiment another name."),
    "remove": ("mlxkit.cli.exp_remove", "Delete experiments, here or of a Git remote."),
    "push": ("mlxkit.cli.exp_push", "Send experiments and their data to others."),
    "pull": ("mlxkit.cli.exp_pull", "Bring experiments and their data from others."),
}
ALIASES = {"ls": "list", "rm": "remove"}
FROM_DVC = {
    "save": "Save the working tree as an experiment.",
    "clean": "Tidy up what DVC's queue left.",
    "exec-run": "",
    "queue-worker": "",
}
"""Those without a text are for DVC's own processes."""


class ExperimentGroup(LateSubcommands):
    """Those of mlx, and those that are DVC's."""

    verb = "exp"
    late = COMMANDS
    aliases = ALIASES

    def list_commands(self, ctx: Any) -> list[str]:
        return [*COMMANDS, *(name for name, text in FROM_DVC.items() if text)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in FROM_DVC:
            return super().get_command(ctx, cmd_name)
        command: Any = _by_dvc(cmd_name, FROM_DVC[cmd_name])
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        super().format_commands(ctx, formatter)
        with formatter.section("From DVC"):
            formatter.write_dl([(name, text) for name, text in FROM_DVC.items() if text])

    def known(self) -> set[str]:
        return {*super().known(), *FROM_DVC}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Leave DVC's queue to DVC."""
        if args and args[0] == "run" and {"--queue", "--run-all"} & set(args):
            return "run", _by_dvc("run", ""), args[1:]
        return super().resolve_command(ctx, args)


def _by_dvc(name: str, text: str) -> Any:
    from mlxkit.cli.app import handing_over

    return typer.main.get_command(handing_over(["exp", name], text))


app = typer.Typer(
    cls=ExperimentGroup,
    add_completion=False,
    rich_markup_mode=None,
    context_settings=HELP_NAMES,
)


@app.callback()
def exp() -> None:
    """Run and compare experiments; `mlx experiments` is the same.

    Example: mlx exp run -S train.lr=0.1 && mlx exp show
    """

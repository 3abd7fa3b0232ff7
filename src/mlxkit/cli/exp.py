"""`mlx exp`: experiments; each sub-command is imported when it is called, the rest is DVC's."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from mlxkit.cli.options import HELP_NAMES
from mlxkit.core.errors import UsageError

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


class ExperimentGroup(TyperGroup):
    """A group that imports a sub-command's module only when that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*COMMANDS, *(name for name, text in FROM_DVC.items() if text)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        name = ALIASES.get(cmd_name, cmd_name)
        if name in COMMANDS:
            command: Any = typer.main.get_command(import_module(COMMANDS[name][0]).app)
        elif name in FROM_DVC:
            from mlxkit.cli.app import handing_over

            command = typer.main.get_command(handing_over(["exp", name], FROM_DVC[name]))
        else:
            return None
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List sub-commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])
        with formatter.section("From DVC"):
            formatter.write_dl([(name, text) for name, text in FROM_DVC.items() if text])

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Suggest the nearest sub-command for one that is not there; DVC's queue is DVC's."""
        name = args[0] if args else ""
        if name == "run" and {"--queue", "--run-all"} & set(args):
            from mlxkit.cli.app import handing_over

            return name, typer.main.get_command(handing_over(["exp", name], "")), args[1:]
        known = {*COMMANDS, *ALIASES, *FROM_DVC}
        if name and not name.startswith("-") and name not in known:
            import difflib

            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean 'mlx exp {near[0]}'?" if near else "see: mlx exp --help"
            raise UsageError(f"there is no command 'exp {name}'", hint=hint)
        return super().resolve_command(ctx, args)


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

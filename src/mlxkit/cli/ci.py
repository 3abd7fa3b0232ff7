"""`mlx ci`: what workflows on a server need; each sub-command is imported when it is called."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from mlxkit.cli.options import HELP_NAMES
from mlxkit.core.errors import UsageError

# name -> (module with an app, help).
COMMANDS = {
    "init": ("mlxkit.cli.ci_init", "Write workflows: test, train, review, deploy, retrain."),
    "comment": ("mlxkit.cli.ci_comment", "Keep one comment on a pull request up to date."),
    "base": ("mlxkit.cli.ci_base", "Print the commit that this work is to be compared with."),
    "commit": ("mlxkit.cli.ci_commit", "Commit what mlx repro wrote, and nothing else."),
    "update": ("mlxkit.cli.ci_update", "Bring imported data up to date; tell whether any is new."),
    "promotion": ("mlxkit.cli.ci_promotion", "Tell what a promotion tag asks to deploy."),
}


class CiGroup(TyperGroup):
    """A group that imports a sub-command's module only when that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        command: Any = typer.main.get_command(import_module(COMMANDS[cmd_name][0]).app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List sub-commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Suggest the nearest sub-command for one that is not there."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean 'mlx ci {near[0]}'?" if near else "see: mlx ci --help"
            raise UsageError(f"there is no command 'ci {name}'", hint=hint)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=CiGroup,
    add_completion=False,
    rich_markup_mode=None,
    context_settings=HELP_NAMES,
)


@app.callback()
def ci() -> None:
    """What workflows on a server need: each of their steps is a command that you can run, too.

    Example: mlx ci init --lock commit
    """

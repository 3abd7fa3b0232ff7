"""`mlx model`: versions of models; each sub-command is imported when it is called."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from mlxkit.cli.options import HELP_NAMES
from mlxkit.core.errors import UsageError

# name -> (module with an app, help).
COMMANDS = {
    "register": ("mlxkit.cli.model_register", "Give what a commit records a version."),
    "list": ("mlxkit.cli.model_list", "List models: the latest version, what is in which stage."),
    "show": ("mlxkit.cli.model_show", "Show all that is known of a version."),
    "promote": ("mlxkit.cli.model_promote", "Put a version into a stage, through its gate."),
    "rollback": ("mlxkit.cli.model_rollback", "Put a stage back to the version before."),
    "history": ("mlxkit.cli.model_history", "List what happened to a model, newest first."),
    "fetch": ("mlxkit.cli.model_fetch", "Write a version's file or folder into a folder."),
    "card": ("mlxkit.cli.model_card", "Write a model card, from records alone."),
}
ALIASES = {"ls": "list", "which": "show", "assign": "promote"}


class ModelGroup(TyperGroup):
    """A group that imports a sub-command's module only when that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        name = ALIASES.get(cmd_name, cmd_name)
        if name not in COMMANDS:
            return None
        command: Any = typer.main.get_command(import_module(COMMANDS[name][0]).app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List sub-commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Suggest the nearest sub-command for one that is not there."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in {*COMMANDS, *ALIASES}:
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean 'mlx model {near[0]}'?" if near else "see: mlx model --help"
            raise UsageError(f"there is no command 'model {name}'", hint=hint)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=ModelGroup,
    add_completion=False,
    rich_markup_mode=None,
    context_settings=HELP_NAMES,
)


@app.callback()
def model() -> None:
    """Versions of models and the stages they are in, as Git tags that GTO reads, too.

    Example: mlx model register census && mlx model promote census@latest --to prod
    """

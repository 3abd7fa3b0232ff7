"""`mlx model`: versions of models; each sub-command is imported when it is called."""

import typer

from mlxkit.cli.late import LateSubcommands
from mlxkit.cli.options import HELP_NAMES

# name -> (module with an app, help).
COMMANDS = {
    "register": ("mlxkit.cli.model_register", "Give the model that a commit records a version."),
    "list": (
        "mlxkit.cli.model_list",
        "List models: the latest version, and which is in which stage.",
    ),
    "show": ("mlxkit.cli.model_show", "Show all that is known of a version."),
    "promote": (
        "mlxkit.cli.model_promote",
        "Put a version into a stage (such as prod), through its gate.",
    ),
    "rollback": ("mlxkit.cli.model_rollback", "Put a stage back to the version before."),
    "history": ("mlxkit.cli.model_history", "List what happened to a model, newest first."),
    "fetch": ("mlxkit.cli.model_fetch", "Write a version's file or folder into a folder."),
    "card": ("mlxkit.cli.model_card", "Write a model card, from records alone."),
}
ALIASES = {"ls": "list", "which": "show", "assign": "promote"}


class ModelGroup(LateSubcommands):
    verb = "model"
    late = COMMANDS
    aliases = ALIASES


app = typer.Typer(
    cls=ModelGroup,
    add_completion=False,
    rich_markup_mode=None,
    context_settings=HELP_NAMES,
)


@app.callback()
def model() -> None:
    """Manage versions of models and the stages they are in (such as prod): Git tags, as GTO's.

    Example: mlx model register census && mlx model promote census@latest --to prod
    """

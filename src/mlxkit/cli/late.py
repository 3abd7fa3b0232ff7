"""Groups of sub-commands whose modules are imported only when they are called."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup

from mlxkit.core.errors import UsageError

Commands = Mapping[str, tuple[str, str]]
"""By name: the module with an app, and a help."""


class LateSubcommands(TyperGroup):
    """The sub-commands of `mlx VERB`, listed without importing them."""

    verb: ClassVar[str]
    late: ClassVar[Commands]
    aliases: ClassVar[Mapping[str, str]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.late)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        name = self.aliases.get(cmd_name, cmd_name)
        if name not in self.late:
            return None
        command: Any = typer.main.get_command(import_module(self.late[name][0]).app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.late.items()])

    def known(self) -> set[str]:
        """Return all names that are understood."""
        return {*self.late, *self.aliases}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Suggest the nearest sub-command for one that is not there; raises UsageError."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in self.known():
            import difflib

            near = difflib.get_close_matches(name, sorted(self.known()), n=1)
            hint = f"did you mean 'mlx {self.verb} {near[0]}'?" if near else ""
            raise UsageError(
                f"there is no command '{self.verb} {name}'",
                hint=hint or f"see: mlx {self.verb} --help",
            )
        return super().resolve_command(ctx, args)

"""Options and arguments that several commands share, with their completion."""

from typing import Annotated, Any

import typer
from typer.core import TyperCommand


def complete_stages(incomplete: str) -> list[str]:
    """Complete names of stages and `.dvc` files."""
    from mlxkit.core.errors import MlxError
    from mlxkit.pipeline.targets import addresses
    from mlxkit.project import open_project

    try:
        names = addresses(open_project(say=lambda _: None).declared)
    except MlxError:
        return []
    return [name for name in names if name.startswith(incomplete)]


HELP_NAMES = {"help_option_names": ["-h", "--help"]}


def new_app() -> typer.Typer:
    """Return an app for one command or group of commands."""
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        no_args_is_help=False,
        context_settings=HELP_NAMES,
    )


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print more.")]
Wait = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", help="How long to wait for a lock.")
]
Targets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TARGETS]...",
        help="Stages, dvc.yaml or .dvc files, or paths that stages write.",
        autocompletion=complete_stages,
    ),
]
WithDeps = Annotated[bool, typer.Option("--with-deps", "-d", help="Also what the targets need.")]
Recursive = Annotated[
    bool, typer.Option("--recursive", "-R", help="All data below the folders named.")
]
Glob = Annotated[bool, typer.Option("--glob", help="Targets may have wildcards.")]
OneStage = Annotated[
    str, typer.Argument(metavar="STAGE", help="A stage.", autocompletion=complete_stages)
]


class ManyTargets(TyperCommand):
    """Takes `--targets A B C` as DVC does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spread(args))


def spread(args: list[str]) -> list[str]:
    """Repeat `--targets` before each of its values."""
    found: list[str] = []
    in_targets = False
    for one in args:
        if one.startswith("-"):
            in_targets = one == "--targets"
            found += [] if in_targets else [one]
        else:
            found += ["--targets", one] if in_targets else [one]
    return found

"""Options of the commands that compare revisions, and what they mean."""

import os
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.pipeline.session import Session


def complete_revisions(incomplete: str) -> list[str]:
    """Complete names of branches, tags and experiments."""
    from mlxkit.core.errors import MlxError
    from mlxkit.tools import git

    try:
        told = git.run(
            git.require_root("."),
            *("for-each-ref", "--format=%(refname:lstrip=2)"),
            *("refs/heads", "refs/tags", "refs/exps"),
        )
    except MlxError:
        return []
    names = [os.fsdecode(one) for one in told.splitlines()]
    short = {one if not one.startswith("exps/") else one.split("/")[-1] for one in names}
    return sorted(one for one in short if one.startswith(incomplete) and one.isprintable())


Old = Annotated[
    str,
    typer.Argument(
        metavar="[A]",
        help="The old revision; HEAD by default.",
        autocompletion=complete_revisions,
        show_default=False,
    ),
]
New = Annotated[
    str,
    typer.Argument(
        metavar="[B]",
        help="The new one; the working tree by default.",
        autocompletion=complete_revisions,
        show_default=False,
    ),
]
Branches = Annotated[bool, typer.Option("--all-branches", "-a", help="Of every branch.")]
Tags = Annotated[bool, typer.Option("--all-tags", "-T", help="Of every tag.")]
Commits = Annotated[bool, typer.Option("--all-commits", "-A", help="Of every commit.")]
Unchanged = Annotated[bool, typer.Option("--all", help="Also what is the same.")]
Markdown = Annotated[bool, typer.Option("--md", help="As a Markdown table.")]
Full = Annotated[
    bool,
    typer.Option(
        "--full", help="Show every change; a terminal shows the most important of long files."
    ),
]
NoPath = Annotated[bool, typer.Option("--no-path", help="Do not show the files' paths.")]
Recursive = Annotated[
    bool,
    typer.Option("--recursive", "-R", help="Accepted as DVC's; folders are always searched."),
]
Precision = Annotated[
    int, typer.Option("--precision", metavar="N", min=1, max=17, help="Significant digits to show.")
]


def metrics_paths(session: Session, targets: Sequence[str]) -> list[str]:
    """Return targets, named from the current folder, relative to the project's root."""
    return [os.path.relpath(os.path.abspath(one), session.root) for one in targets]


def params_paths(session: Session, targets: Sequence[str]) -> list[str]:
    """Return targets relative to the root, as which DVC takes them; a file nearby comes first."""
    return [_nearby(session, one) for one in targets]


def _nearby(session: Session, target: str) -> str:
    path = os.path.abspath(target)
    if os.path.exists(path) or not os.path.exists(os.path.join(session.root, target)):
        return os.path.relpath(path, session.root)
    return os.path.relpath(os.path.join(session.root, target), session.root)


def warn(warnings: Iterable[str]) -> None:
    """Say what could not be read."""
    for one in warnings:
        terminal.note(terminal.printable(one))

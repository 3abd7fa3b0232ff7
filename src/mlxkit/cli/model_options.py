"""Options that sub-commands of `mlx model` share, with the completion of models' names."""

import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.exp_options import complete_remotes

if TYPE_CHECKING:
    from mlxkit.versions.find import Registry
    from mlxkit.versions.state import Model


def _known() -> "dict[str, Model]":
    from mlxkit.core.errors import MlxError
    from mlxkit.tools.git import require_root
    from mlxkit.versions.find import read_registry

    try:
        return dict(read_registry(require_root(".")).models)
    except MlxError:
        return {}


def complete_models(incomplete: str) -> list[str]:
    """Complete names of models."""
    return [name for name in _known() if name.startswith(incomplete)]


def complete_versions(incomplete: str) -> list[str]:
    """Complete names of models, their versions and stages."""
    found = []
    for name, one in _known().items():
        found += [name, *(f"{name}@{each.name}" for each in one.active)]
        found += [f"{name}#{stage}" for stage in one.stages]
    return [name for name in found if name.startswith(incomplete)]


def complete_stages(incomplete: str) -> list[str]:
    """Complete names of stages that are in use."""
    found = {stage for one in _known().values() for stage in one.stages}
    return sorted(name for name in found if name.startswith(incomplete))


ModelName = Annotated[
    str, typer.Argument(metavar="NAME", help="A model.", autocompletion=complete_models)
]
What = Annotated[
    str,
    typer.Argument(
        metavar="NAME[@VERSION|#STAGE]",
        help="A model's latest version, that version, or the one in a stage.",
        autocompletion=complete_versions,
    ),
]
Push = Annotated[bool, typer.Option("--push", help="Push the tag to Git's remote.")]
GitRemote = Annotated[
    str,
    typer.Option(
        "--git-remote",
        "-g",
        metavar="REMOTE",
        help="Push to that Git remote, a name or a URL.",
        autocompletion=complete_remotes,
    ),
]


def target(push: bool, git_remote: str) -> str | None:
    """Return where to push: "" is the branch's own remote, None nowhere."""
    return git_remote if git_remote else "" if push else None


def tell_pushed(git_root: str | None, tag: str, pushed: str | None) -> None:
    """Say that a tag went out, or how to send it, and what belongs to it, where there is a way."""
    from mlxkit.tools.git_remote import choose_remote

    if pushed is not None:
        terminal.note(f"pushed to {terminal.printable(pushed)}; its data and records: mlx push")
        return
    remote = choose_remote(git_root) if git_root is not None else None
    if remote is not None:
        name = terminal.printable(remote.name)
        terminal.note(f"to share it: mlx push; git push {name} '{tag}'")


def tell_notes(registry: "Registry", *, quiet: bool) -> None:
    """Say which tags do not count, the first of them."""
    if quiet:
        return
    for note in registry.notes[:3]:
        terminal.note(f"note: {terminal.printable(note)}")
    if len(registry.notes) > 3:
        terminal.note(f"note: {len(registry.notes) - 3} more tags do not count")


def when(seconds: int) -> str:
    """Return a tag's time, to the minute, in UTC."""
    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return "?"
    return f"{moment:%Y-%m-%d %H:%M}"


def content_json(content: Any) -> dict[str, Any]:
    """Return what a version holds, for JSON."""
    return {
        "path": content.path, "md5": content.md5, "size": content.size, "nfiles": content.nfiles
    }  # fmt: skip

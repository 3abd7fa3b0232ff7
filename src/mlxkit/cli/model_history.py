"""`mlx model history`: what happened to a model."""

from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.model_options import ModelName, tell_notes, when
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.wrapping import wrapped

app = new_app()

_WORDS = {
    "register": "registered", "deregister": "deregistered", "assign": "promoted",
    "unassign": "unassigned", "deprecate": "deprecated",
}  # fmt: skip


@app.command()
def history(
    name: ModelName,
    number: Annotated[
        int, typer.Option("-n", metavar="N", min=0, help="Only the newest N; 0: all.")
    ] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """List what happened to a model, newest first: versions, promotions, rollbacks.

    Example: mlx model history census
    """
    from mlxkit.core.errors import MlxError
    from mlxkit.project import find_root
    from mlxkit.runs.choose import project_of
    from mlxkit.tools.git import require_root
    from mlxkit.versions.find import find_model, read_registry

    git_root = require_root(".")
    try:
        folder = project_of(find_root("."), git_root)
    except MlxError:
        folder = ""
    registry = read_registry(git_root)
    model = find_model(registry, name, folder)
    events = list(reversed(model.events))[: number or None]
    if as_json:
        terminal.write_json({"model": model.name, "events": [_document(model, e) for e in events]})
    else:
        for one in events:
            _show(model, one, verbose=verbose)
    tell_notes(registry, quiet=quiet or as_json)
    return 0


def _version(model: Any, event: Any) -> str | None:
    if event.meaning.version is not None:
        return str(event.meaning.version)
    found = next((one for one in model.versions if one.commit == event.commit), None)
    return found.name if found else None


def _word(event: Any) -> str:
    if event.meaning.action == "assign" and event.told.get("kind") == "rolled-back":
        return "rolled back"
    return _WORDS[event.meaning.action]


def _show(model: Any, one: Any, *, verbose: bool) -> None:
    version = _version(model, one) or one.commit[:7]
    what = f"{one.meaning.stage} -> {version}" if one.meaning.stage else version
    word = _word(one)
    style = {"promoted": "green", "rolled back": "yellow"}.get(word, "")
    shown = terminal.styled(word.ljust(12), style) if style else word.ljust(12)
    told = "  ".join(text for text in (what, one.name, one.note) if text)
    wrapped(told, f"{when(one.time)}  {shown}  ", " " * 18)
    if verbose:
        terminal.write(f"    {one.tag}  {one.commit}{'  signed' if one.signed else ''}")
        for text in one.message.splitlines()[1:]:
            if text.strip():
                wrapped(text, "    ", "    ")
    if one.trouble:
        wrapped(one.trouble, f"    {terminal.styled('!', 'yellow')} ", "      ")


def _document(model: Any, one: Any) -> dict[str, Any]:
    return {
        "event": _word(one).replace(" ", "-"), "version": _version(model, one),
        "stage": one.meaning.stage, "commit": one.commit, "tag": one.tag, "time": one.time,
        "name": one.name, "email": one.email, "message": one.message, "signed": one.signed,
        "told": dict(one.told), "trouble": one.trouble or None,
    }  # fmt: skip

"""`mlx pin`: keep objects whatever refers to them, and list what is kept so."""

import datetime
import os
from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, Wait, new_app
from mlxkit.cli.reading import reading
from mlxkit.core.errors import UsageError
from mlxkit.data.gc.inventory import take_stock
from mlxkit.data.gc.reach import cache_folder
from mlxkit.data.history.lookup import find_named
from mlxkit.data.pins import FILE, Pin, add_pins, read_pins, remove_pins
from mlxkit.pipeline.session import Session
from mlxkit.tools import git
from mlxkit.tools.dvclock import RepoLock

app = new_app()


@app.command()
def pin(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WHAT]...", help="A tracked path, REV:PATH, or a digest or its beginning."
        ),
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is kept.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Remove the pin.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="With --remove: all pins.")] = False,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Keep data through every `mlx gc`, whether a commit still refers to it or not.

    Pins are lines of mlx.pins, a file for Git to track. Without WHAT, lists them.

    Example: mlx pin v1.0:model.pkl --reason "in production"
    """
    if not what and reason:
        raise UsageError("--reason needs something to pin", hint="see: mlx pin --help")
    if everything and (what or not remove):
        raise UsageError("--all goes with --remove alone", hint="see: mlx pin --help")
    if remove and not (what or everything):
        raise UsageError(
            "what is to be pinned no longer?", hint="all of it: mlx pin --remove --all"
        )
    with reading() as session:
        if not what and not remove:
            shown, key = read_pins(session.root), "pins"
        else:
            lock = RepoLock(session.root, hardlink=bool(_core(session).get("hardlink_lock")))
            with lock.holding(wait):
                if remove:
                    shown, key = _removed(session, what or []), "removed"
                else:
                    shown, key = _added(session, what or [], reason), "pinned"
            if shown and session.git_root is not None and _core(session).get("autostage"):
                git.add(session.git_root, [os.path.join(session.root, FILE)])
    if as_json:
        terminal.write_json({key: [_document(one) for one in shown]})
    elif not quiet:
        _show(shown, key)
    return 0


def _core(session: Session) -> dict[str, Any]:
    return dict(session.declared.config.get("core", {}))


def _added(session: Session, what: list[str], reason: str) -> list[Pin]:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    found = find_named(session, what)
    stock = take_stock(cache_folder(session))
    for one in found:
        if not stock.has(one.md5):
            terminal.note(f"warning: {one.md5} is not in the cache, so there is nothing to keep")
    return add_pins(session.root, [Pin(one.md5, one.path, today, reason) for one in found])


def _removed(session: Session, what: list[str]) -> list[Pin]:
    pins = read_pins(session.root)
    if not what:
        return remove_pins(session.root, [one.md5 for one in pins])
    chosen = [one.md5 for word in what for one in _meant(session, pins, word)]
    return remove_pins(session.root, chosen)


def _meant(session: Session, pins: list[Pin], word: str) -> list[Pin]:
    """The pins of a path as it stands in the list, of a digest, or of what is at a path now."""
    paths = {word, os.path.relpath(word, session.root)} if word else set()
    is_digest = len(word) >= 4
    found = [one for one in pins if one.path in paths or (is_digest and one.md5.startswith(word))]
    if not found:
        md5 = find_named(session, [word])[0].md5
        found = [one for one in pins if one.md5 == md5]
    if not found:
        raise UsageError(f"'{word}' is not pinned", hint="see: mlx pin")
    return found


def _document(one: Pin) -> dict[str, str]:
    return {"md5": one.md5, "path": one.path, "date": one.day, "reason": one.reason}


def _show(pins: list[Pin], key: str) -> None:
    width = max((len(one.path) for one in pins), default=0)
    for one in pins:
        terminal.write(f"{one.md5:<36}  {one.path:<{width}}  {one.day}  {one.reason}".rstrip())
    if key == "pins" and not pins:
        terminal.write("nothing is pinned")
    elif key == "pinned":
        terminal.write(f"pinned {len(pins)}" if pins else "pinned already")
    elif key == "removed":
        terminal.write(f"no longer pinned: {len(pins)}")
    if key != "pins" and pins:
        terminal.note(f"hint: so that others keep it, too: git add {FILE}")

"""`mlx fsck`: read the cache or a remote again, and say what is damaged or missing."""

import os
from typing import Annotated, Any, NamedTuple

import typer

from mlxkit.cli import terminal
from mlxkit.cli.bar import bar
from mlxkit.cli.options import Json, Quiet, Verbose, Wait, new_app
from mlxkit.cli.reading import reading
from mlxkit.core.errors import ExitCode
from mlxkit.data.fsck.check import (
    CORRUPT,
    INVALID,
    MISSING,
    UNREADABLE,
    Checked,
    Problem,
    find_missing,
    sampled,
)
from mlxkit.data.fsck.places import Folder, Place, default_remote, remote_place, repair
from mlxkit.data.fsck.refers import find_refers
from mlxkit.data.gc.inventory import File
from mlxkit.data.gc.reach import cache_folder
from mlxkit.data.tracked import tracked
from mlxkit.pipeline.rundir import prepare_folder
from mlxkit.pipeline.session import Session
from mlxkit.tools.dvclock import RepoLock

app = new_app()

_SHOWN = 20
_STYLES = {CORRUPT: "red", UNREADABLE: "red", INVALID: "red", MISSING: "yellow"}


class _Found(NamedTuple):
    checked: Checked
    problems: list[Problem]
    leftovers: list[File]


@app.command()
def fsck(
    remote: Annotated[
        str, typer.Option("--remote", "-r", metavar="NAME", help="Check that remote instead.")
    ] = "",
    sample: Annotated[
        str, typer.Option(metavar="PART", help="Read only a random sample: 1%, or 500 objects.")
    ] = "",
    seed: Annotated[int | None, typer.Option(metavar="N", help="The seed of the sample.")] = None,
    mend: Annotated[
        bool,
        typer.Option(
            "--repair", help="Move damaged objects to .mlx/corrupt/ and fetch them again."
        ),
    ] = False,
    source: Annotated[
        str,
        typer.Option("--from", metavar="NAME", help="Fetch from this remote, not the default one."),
    ] = "",
    jobs: Annotated[int, typer.Option("--jobs", "-j", metavar="N", help="Requests at once.")] = 0,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Read every object again; list those that do not match their digest, and who needs them.

    With --repair, what is damaged in the cache comes from a remote again, and with -r, what is
    damaged in that remote from the cache. Exits with 3 when something is wrong still.

    Example: mlx fsck --sample 5%
    """
    with reading() as session:
        cache = Folder(cache_folder(session))
        place = remote_place(session, remote, jobs or None) if remote else cache
        found = _examine(session, place, cache, remote, (sample, seed), quiet or as_json)
        if mend and any(one.kind in (CORRUPT, UNREADABLE) for one in found.problems):
            good: Place | None = cache if remote else _source(session, source, jobs)
            found = found._replace(problems=_repaired(session, found, place, good, wait))
    if as_json:
        terminal.write_json(_document(found))
    elif not quiet:
        _show(found, verbose, remote, mend)
    return ExitCode.OK if _is_ok(found) else ExitCode.CHECK_FAILED


def _examine(
    session: Session,
    place: Place,
    cache: Folder,
    remote: str,
    choice: tuple[str, int | None],
    silent: bool,
) -> _Found:
    stock = place.stock()
    lists = cache.stock() if remote else stock
    chosen = sampled(place.objects(stock), *choice)
    with bar(quiet=silent) as progress:
        checked = place.check(chosen, progress)
    wanted = [one for one in tracked(session) if not remote or _belongs(one, session, remote)]
    missing = find_missing(wanted, stock, lists)
    refers = find_refers(session, {one.md5 for one in checked.problems}, lists)
    damaged = [one._replace(refers=refers.get(one.md5, ())) for one in checked.problems]
    return _Found(checked, [*damaged, *missing], stock.leftovers)


def _belongs(one: Any, session: Session, remote: str) -> bool:
    """Whether an output should be in this remote."""
    where = one.remote or default_remote(session)
    return one.out.push and not one.stage.delegated and where in (remote, "")


def _source(session: Session, name: str, jobs: int) -> Place | None:
    chosen = name or default_remote(session)
    return remote_place(session, chosen, jobs or None) if chosen else None


def _repaired(
    session: Session, found: _Found, place: Place, good: Place | None, wait: float
) -> list[Problem]:
    aside = os.path.join(prepare_folder(session.root), "corrupt")
    core = session.declared.config.get("core", {})
    done = []
    lock = RepoLock(session.root, hardlink=bool(core.get("hardlink_lock")))
    with lock.holding(wait, terminal.note):
        for one in found.problems:
            damaged = one.kind in (CORRUPT, UNREADABLE)
            legacy = "/files/md5/" not in one.path and bool(one.path)
            done.append(repair(one, place, good, aside, legacy) if damaged else one)
    return done


def _is_ok(found: _Found) -> bool:
    return all(one.repaired for one in found.problems)


def _document(found: _Found) -> dict[str, Any]:
    return {
        "ok": _is_ok(found),
        "checked": found.checked.objects,
        "bytes": found.checked.size,
        "problems": [
            {
                "md5": one.md5,
                "kind": one.kind,
                "refers": list(one.refers),
                "repaired": one.repaired,
            }
            for one in found.problems
        ],
        "leftovers": len(found.leftovers),
    }


def _show(found: _Found, verbose: bool, remote: str, mend: bool) -> None:
    shown = found.problems if verbose else found.problems[:_SHOWN]
    for one in shown:
        kind = "repaired" if one.repaired else one.kind
        word = terminal.styled(f"{kind:<10}", "green" if one.repaired else _STYLES[one.kind])
        terminal.write(f"{word}  {one.md5:<36}  {_needed_by(one)}".rstrip())
    if len(found.problems) > len(shown):
        terminal.write(f"... and {len(found.problems) - len(shown)} more (-v shows all)")
    counts: dict[str, int] = {}
    for one in found.problems:
        kind = "repaired" if one.repaired else one.kind
        counts[kind] = counts.get(kind, 0) + 1
    said = ", ".join(f"{number} {kind}" for kind, number in counts.items()) or "all is well"
    read = terminal.counted(found.checked.objects, "object")
    terminal.write(f"read {read}, {terminal.size(found.checked.size)}: {said}")
    _hint(found, counts, remote, mend)


def _needed_by(one: Problem) -> str:
    if not one.refers:
        return "nothing refers to it"
    return "; ".join(one.refers)


def _hint(found: _Found, counts: dict[str, int], remote: str, mend: bool) -> None:
    if found.leftovers:
        size = terminal.size(sum(one.size for one in found.leftovers))
        count = terminal.counted(len(found.leftovers), "file")
        terminal.note(f"hint: {count} ({size}) left by killed processes: mlx gc deletes them")
    if counts.get(MISSING):
        terminal.note("hint: " + (f"mlx push -r {remote}" if remote else "get them: mlx fetch"))
    damaged = counts.get(CORRUPT, 0) + counts.get(UNREADABLE, 0)
    if damaged and not mend:
        terminal.note("hint: to put them right from a good copy: mlx fsck --repair")
    elif damaged:
        terminal.note("hint: no good copy was found; the damaged ones are in .mlx/corrupt/")

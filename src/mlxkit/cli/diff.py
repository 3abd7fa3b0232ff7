"""`mlx diff`: which tracked files differ between revisions, and how the rows of a table do."""

import os
from typing import Annotated, Any

import typer

from mlxkit.cli import diff_files, terminal
from mlxkit.cli.diff_blocks import Block, as_html, as_markdown, as_text
from mlxkit.cli.options import Json, ManyTargets, Quiet, new_app
from mlxkit.cli.reading import reading
from mlxkit.core.errors import ExitCode, UsageError
from mlxkit.core.files import scratch_folder, write_atomic
from mlxkit.data.diff.files import Diff
from mlxkit.data.diff.files import diff as find_diff

app = new_app()


@app.command(cls=ManyTargets)
def diff(
    a: Annotated[
        str | None, typer.Argument(metavar="[A]", help="The old revision; HEAD by default.")
    ] = None,
    b: Annotated[
        str | None, typer.Argument(metavar="[B]", help="The new one; the working tree by default.")
    ] = None,
    targets: Annotated[
        list[str] | None,
        typer.Option("--targets", metavar="PATHS", help="Only these stages, files or outputs."),
    ] = None,
    rows: Annotated[
        str, typer.Option("--rows", metavar="[REV:]PATH", help="Compare the rows of a table.")
    ] = "",
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="[REV:]PATH",
            help="The table to compare with, instead of its old revision.",
        ),
    ] = "",
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="COLUMNS", help="The columns that identify a row: A or A,B."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, help="Rows of each kind to list.")
    ] = 10,
    show_hash: Annotated[bool, typer.Option("--show-hash", help="Show digests.")] = False,
    hide_missing: Annotated[
        bool, typer.Option("--hide-missing", help="Do not list what the cache lacks.")
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 3 when there are differences.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--md", help="As Markdown.")] = False,
    page: Annotated[str, typer.Option("--html", metavar="FILE", help="As an HTML page.")] = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Show which tracked files were added, changed, deleted or renamed; or how a table's rows were.

    Example: mlx diff HEAD~1 --rows data.csv --key id
    """
    if as_json and markdown:
        raise UsageError("--json and --md are two forms of one answer: give one of them")
    if rows:
        differs = _diff_rows(
            _places(rows, against, a, b),
            key or [],
            limit,
            as_json=as_json,
            md=markdown,
            page=page,
            quiet=quiet,
        )
    elif against or key:
        raise UsageError("--against and --key go with --rows", hint="see: mlx diff --help")
    else:
        differs = _diff_files(
            a or "HEAD",
            b,
            targets or [],
            show_hash=show_hash,
            hide_missing=hide_missing or b is not None,
            as_json=as_json,
            md=markdown,
            page=page,
            quiet=quiet,
        )
    return ExitCode.CHECK_FAILED if exit_code and differs else ExitCode.OK


def _diff_files(
    a: str,
    b: str | None,
    targets: list[str],
    *,
    show_hash: bool,
    hide_missing: bool,
    as_json: bool,
    md: bool,
    page: str,
    quiet: bool,
) -> bool:
    with reading() as session:
        found = find_diff(session, a, b, targets)
    title = f"{a} -> {b or 'working tree'}"
    if page:
        _write_page(page, title, diff_files.blocks(found, hide_missing=hide_missing))
    if as_json:
        terminal.write_json(
            diff_files.document(found, show_hash=show_hash, hide_missing=hide_missing)
        )
    elif md:
        terminal.write(diff_files.markdown(found, show_hash=show_hash, hide_missing=hide_missing))
    elif not quiet and not page:
        _show_files(found, title, show_hash, hide_missing)
    for path in found.unlisted if not quiet else ():
        terminal.note(f"{path}: its list of files is not in the cache; to see inside: mlx fetch")
    return found.differs


def _show_files(found: Diff, title: str, show_hash: bool, hide_missing: bool) -> None:
    if not found.differs and (hide_missing or not found.missing):
        terminal.write(f"no tracked file differs: {title}")
        return
    for line in diff_files.text(found, show_hash=show_hash, hide_missing=hide_missing):
        terminal.write(line)


def _diff_rows(
    places: tuple[Any, Any],
    key: list[str],
    limit: int,
    *,
    as_json: bool,
    md: bool,
    page: str,
    quiet: bool,
) -> bool:
    from mlxkit.cli.diff_rows import blocks
    from mlxkit.data.rows.compare import diff_rows
    from mlxkit.data.rows.report import document

    with scratch_folder("mlx-rows-") as scratch:
        old, new = _sources(places, scratch)
        found = diff_rows(old, new, key=key, limit=limit)
    shown = blocks(found)
    if page:
        _write_page(page, f"{found.old} -> {found.new}", shown)
    if as_json:
        terminal.write_json(document(found))
    elif md:
        terminal.write(as_markdown(shown))
    elif not quiet and not page:
        terminal.write(as_text(shown))
    return found.differs


def _sources(places: tuple[Any, Any], scratch: str) -> tuple[Any, Any]:
    """Find both files; a project is needed only for a revision."""
    from mlxkit.data.history.revision import Revisions
    from mlxkit.data.rows.find import Place, at_revision, on_disk

    if all(one.rev is None for one in places):
        return on_disk(places[0]), on_disk(places[1])
    with reading() as session:
        revisions = Revisions(session)

        def find(place: Place) -> Any:
            if place.rev is None:
                return on_disk(place)
            return at_revision(session, revisions, place, scratch)

        return find(places[0]), find(places[1])


def _places(rows: str, against: str, a: str | None, b: str | None) -> tuple[Any, Any]:
    """Return the two places to compare: at A and B, or as `REV:PATH` says, or as files."""
    from mlxkit.data.rows.find import Place, parse_place

    place = parse_place(rows)
    if (against or place.rev) and (a or b):
        raise UsageError(
            "name the revisions once: as A and B, or as REV:PATH",
            hint="mlx diff v1 v2 --rows PATH   or   mlx diff --rows v1:PATH --against v2:PATH",
        )
    if against:
        return place, parse_place(against)
    if place.rev:
        return place, Place(place.path)
    return Place(place.path, a or "HEAD"), Place(place.path, b)


def _write_page(path: str, title: str, shown: Any) -> None:
    blocks: list[Block] = list(shown)
    write_atomic(os.path.abspath(path), as_html(title, blocks).encode("utf-8", "replace"))
    terminal.note(f"wrote {path}")

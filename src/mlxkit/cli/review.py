"""`mlx report`: what changed between two revisions and whether gates pass, to be read by people."""

import json
import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.compare_options import complete_revisions
from mlxkit.cli.gate import complete_gates
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.core.files import write_atomic

if TYPE_CHECKING:
    from mlxkit.pipeline.session import Session
    from mlxkit.reports.changes import Report

app = new_app()


class Form(StrEnum):
    """What to write."""

    md = "md"
    html = "html"
    json = "json"


@app.command()
def report(
    base: Annotated[
        str | None,
        typer.Option(
            metavar="REV",
            help="Compare with REV; default: where the branch left the default branch, or HEAD~1.",
            autocompletion=complete_revisions,
        ),
    ] = None,
    rev: Annotated[
        str | None,
        typer.Option(
            metavar="REV",
            help="Report on a commit; default: HEAD, or the working tree where files differ.",
            autocompletion=complete_revisions,
        ),
    ] = None,
    form: Annotated[
        Form, typer.Option("--format", help="Markdown for a comment, a page, or the data.")
    ] = Form.md,
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help="Write to FILE.")] = "",
    gates: Annotated[
        list[str] | None,
        typer.Option(
            "--gate",
            metavar="NAME",
            help="Judge this gate; repeatable; default: all.",
            autocompletion=complete_gates,
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Say what a branch changes: gates, metrics, slices, parameters, data, stages, cost, lineage.

    Markdown fits into a comment on GitHub, whatever the size. Failed gates do not fail the command.

    Example: mlx report --base main --format html -o report.html
    """
    from mlxkit.reports.collect import collect

    if as_json:
        if form is Form.html:
            raise UsageError("--json and --format html are two forms: give one of them")
        form = Form.json
    with reading() as session:
        found = collect(session, rev=rev, base=base, gates=gates or ())
        text = _page(session, found) if form is Form.html else ""
    if form is Form.json:
        from mlxkit.reports.document import document

        if out in ("", "-"):
            terminal.write_json(document(found))
            return 0
        text = json.dumps(document(found), indent=2)
    elif form is Form.md:
        from mlxkit.reports.markdown import render

        text = render(found)
    if out and out != "-":
        write_report(out, text)
        if not quiet:
            terminal.note(f"wrote {out}")
    else:
        terminal.write(text.rstrip("\n"))
        if sys.stdout.isatty() and not quiet:
            terminal.note("to read it as a page: mlx report --format html -o report.html")
    return 0


def _page(session: "Session", found: "Report") -> str:
    from mlxkit.reports.page import page

    return page(session, found)


def write_report(path: str, text: str) -> None:
    """Write a report to a file; raises MlxError."""
    try:
        write_atomic(os.path.abspath(path), text.encode("utf-8", "replace"))
    except OSError as error:
        raise MlxError(f"{path} cannot be written: {error.strerror}") from None

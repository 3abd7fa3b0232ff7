"""`mlx ci comment`: a text as the one comment of ours on a pull request."""

import os
import sys
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.core.errors import RemoteError, UsageError

app = new_app()

_LARGEST = 1 << 22


@app.command()
def comment(
    file: Annotated[
        str, typer.Option(metavar="FILE", help="The text; -, by default: what is piped in.")
    ] = "-",
    pr: Annotated[
        int, typer.Option("--pr", metavar="N", help="The pull request; by default the event's.")
    ] = 0,
    marker: Annotated[
        str, typer.Option(metavar="NAME", help="Comments with another name are left alone.")
    ] = "report",
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Write a comment on a pull request, or update the one that is there: never two.

    Reads GITHUB_TOKEN or GH_TOKEN, GITHUB_REPOSITORY and, for GitHub Enterprise, GITHUB_API_URL.

    Example: mlx report --base main | mlx ci comment --pr 12
    """
    from mlxkit.ci.comment import mark, post
    from mlxkit.ci.event import api_url, read_event, repository
    from mlxkit.ci.github import Api

    mark(marker)
    if pr < 0:
        raise UsageError(f"--pr is {pr}", hint="a pull request's number")
    number = pr or read_event().request
    if number is None:
        raise UsageError("this run is not about a pull request", hint="name it: --pr 12")
    name = repository()
    token = (os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or "").strip()
    if not token:
        raise RemoteError(
            "there is no token", hint="set GITHUB_TOKEN; in a workflow: ${{ github.token }}"
        )
    text = _read(file)
    posted = post(Api(api_url(), token), name, number, text, marker)
    if as_json:
        terminal.write_json(posted._asdict())
    elif not quiet:
        removed = f"; {posted.removed} older removed" if posted.removed else ""
        shown = f": {posted.url}" if posted.url else ""
        terminal.write(f"comment on #{number} {posted.action}{removed}{shown}")
    return 0


def _read(path: str) -> str:
    try:
        if path == "-":
            if sys.stdin is None or sys.stdin.isatty():
                raise UsageError("there is no text", hint="--file report.md, or pipe it in")
            data = sys.stdin.buffer.read(_LARGEST)
        else:
            with open(path, "rb") as file:
                data = file.read(_LARGEST)
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError("the text is not UTF-8", where=path) from None
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=path) from None

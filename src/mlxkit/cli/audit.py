"""`mlx audit`: the log of what was done, by whom and when; and whether it is whole."""

import datetime
import json
import re
import sys
import textwrap
from typing import Annotated, Any

import typer

from mlxkit.audit.event import Event, Kind
from mlxkit.audit.log import Entry, entries
from mlxkit.audit.verify import Verdict, examine, place_of
from mlxkit.cli import terminal
from mlxkit.cli.options import HELP_NAMES, Json, Quiet, Verbose
from mlxkit.core.errors import ExitCode, UsageError
from mlxkit.tools import git

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    context_settings=HELP_NAMES,
)

INDENT = "    "
MOST = 4
DIGEST = re.compile(r"\b[0-9a-f]{32,64}\b")


@app.callback()
def audit(
    context: typer.Context,
    number: Annotated[
        int, typer.Option("-n", metavar="N", min=0, help="Only the newest; 0: all.")
    ] = 0,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help="Only of that kind; may be repeated.",
            autocompletion=lambda incomplete: [one for one in Kind if one.startswith(incomplete)],
        ),
    ] = None,
    since: Annotated[
        str, typer.Option(metavar="DATE", help="Only since then, like 2026-01-31.")
    ] = "",
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """List what was done here, newest first: pushes, verdicts, approvals, deletions.

    Example: mlx audit -n 20 --kind gc
    """
    if context.invoked_subcommand is not None:
        return 0
    git_root = git.require_root(".")
    begin = _milliseconds(since) if since else None
    kinds = set(kind or ())

    def chosen(event: Event) -> bool:
        late = begin is None or event.milliseconds >= begin
        return late and (not kinds or event.kind in kinds)

    found = entries(git_root, chosen, number)
    _check_kinds(kinds.difference(one.event.kind for one in found))
    if as_json:
        terminal.write_json({"events": [_document(one) for one in found]})
        return 0
    for one in found:
        _show(one, verbose=verbose)
    if not found and not quiet:
        terminal.note(
            "nothing is in the audit log" + (" that you asked for" if kinds or since else "")
        )
    return 0


@app.command(short_help="Check that nothing was removed or changed.")
def verify(as_json: Json = False, quiet: Quiet = False, verbose: Verbose = False) -> int:
    """Find what was removed from the log, changed or reordered; exits with 3 when something was.

    Example: mlx audit verify
    """
    verdict = examine(git.require_root("."))
    if as_json:
        terminal.write_json(_verdict_document(verdict))
    elif not quiet or verdict.problems:
        _show_verdict(verdict)
    return ExitCode.CHECK_FAILED if verdict.problems else ExitCode.OK


def _check_kinds(kinds: set[str]) -> None:
    """Refuse a kind that no event has and this mlx does not know: most likely a slip."""
    for one in sorted(kinds.difference(Kind)):
        raise UsageError(f"--kind {one}: there is no such kind", hint=f"one of: {', '.join(Kind)}")


def _milliseconds(date: str) -> int:
    """Read a date, or date and time, of the user's own time zone unless it names one."""
    try:
        moment = datetime.datetime.fromisoformat(date)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise UsageError(
            f"--since {date}: not a date", hint="write it as 2026-01-31 or 2026-01-31T12:00"
        ) from None


def _document(entry: Entry) -> dict[str, Any]:
    event = entry.event
    own = {"digest": entry.digest, "commit": entry.commit}
    return {**event._asdict(), "who": event.who._asdict(), **own}


def _show(entry: Entry, *, verbose: bool) -> None:
    event = entry.event
    when = terminal.styled(_moment(event), "dim")
    kind = terminal.styled(_printable(event.kind), "bold")
    terminal.write(f"{when}  {kind}  {_printable(event.who.name)}")
    for name, value in event.what.items():
        _show_value(_printable(name), value if verbose else _brief(value))
    if verbose:
        for name, value in (
            ("who", event.who.email),
            ("event", f"{event.number} {entry.digest}"),
            ("commit", entry.commit),
            ("mlx", event.mlx),
        ):
            _show_value(name, value)


def _moment(event: Event) -> str:
    """Return when it was, in the user's time; as it is written where no calendar has that."""
    try:
        return f"{datetime.datetime.fromtimestamp(event.milliseconds / 1000):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError):
        return event.when


def _brief(value: Any) -> Any:
    """Shorten digests and long lists: who wants them in full says so."""
    if isinstance(value, str):
        return DIGEST.sub(lambda found: found[0][:12], value)
    if isinstance(value, list):
        more = [f"and {len(value) - MOST} more"] if len(value) > MOST + 1 else []
        return [*map(_brief, value[: MOST if more else None]), *more]
    return {key: _brief(one) for key, one in value.items()} if isinstance(value, dict) else value


def _show_value(name: str, value: Any) -> None:
    if value is None or value in ("", [], {}):
        return
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        sentences = any(" " in one for one in value)
        text = ("; " if sentences else " ").join(value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    _wrapped(f"{name}: {_printable(text)}")


def _wrapped(text: str) -> None:
    columns = terminal.width(sys.stdout)
    for line in textwrap.wrap(text, max(columns - len(INDENT), 20), subsequent_indent="  "):
        terminal.write(f"{INDENT}{line}")


def _printable(text: str) -> str:
    """Return text of a stranger without what could move the cursor or hide a line."""
    return "".join(char if char.isprintable() else "�" for char in text)


def _verdict_document(verdict: Verdict) -> dict[str, Any]:
    return {
        "ok": not verdict.problems,
        "events": verdict.events,
        "signed": verdict.signed,
        "unknown_keys": verdict.unknown,
        "problems": [
            {"kind": one.kind, "event": one.number, "commit": one.commit or None, "why": one.why}
            for one in verdict.problems
        ],
    }


def _show_verdict(verdict: Verdict) -> None:
    for one in verdict.problems:
        terminal.write(f"{terminal.styled('wrong', 'red')}  {_printable(place_of(one))}")
        _wrapped(_printable(one.why))
    events = terminal.counted(verdict.events, "event")
    signed = f", {verdict.signed} signed" if verdict.signed else ""
    if verdict.problems:
        many = terminal.counted(len(verdict.problems), "problem")
        terminal.write(f"the audit log is not whole: {many}; {events}{signed}")
    else:
        terminal.write(f"the audit log is whole: {events}{signed}")
    if verdict.unknown:
        terminal.note(
            f"{terminal.counted(verdict.unknown, 'signature')} of a key that is not known here; "
            "see: git help config, gpg.ssh.allowedSignersFile"
        )

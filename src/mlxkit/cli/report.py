"""How an error is told: one line that says what, one that says what to do, or a document."""

import signal
import sys
from typing import Any

from mlxkit.cli import terminal
from mlxkit.core.errors import ExitCode


def report(code: str, message: str, hint: str | None, where: str | None, *, as_json: bool) -> None:
    """Tell of an error: on stderr for people, on stdout for programs."""
    if as_json:
        document: dict[str, Any] = {
            "error": {"code": code, "message": message, "hint": hint, "where": where}
        }
        try:
            terminal.write_json(document)
            sys.stdout.flush()
            return
        except OSError:  # nobody reads it, or its disk is full: then people are told
            terminal.give_up_stdout()
    place = f"{where}: " if where else ""
    terminal.note(f"{terminal.styled('error:', 'red', sys.stderr)} {place}{message}")
    if hint:
        terminal.note(f"{terminal.styled('hint:', 'cyan', sys.stderr)} {hint}")


def interrupted(*, as_json: bool) -> ExitCode:
    """Tell of Ctrl-C, once however often it is pressed, and return its exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    report("interrupted", "interrupted", None, None, as_json=as_json)
    return ExitCode.INTERRUPTED

"""Writing to the terminal: colour only where it is wanted, text and hints on their streams."""

import io
import json
import os
import sys
from typing import Any, TextIO

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "cyan": "36",
}

OUTCOME_STYLES = {
    "ran": "green",
    "restored": "cyan",
    "unchanged": "dim",
    "failed": "red",
    "not-reached": "yellow",
    "fresh": "dim",
    "stale": "yellow",
    "running": "blue",
}


def colours(stream: TextIO) -> bool:
    """Tell whether `stream` takes colour: a terminal, and nobody said no."""
    return (
        stream.isatty()
        and not os.environ.get("NO_COLOR")
        and not os.environ.get("CI")
        and os.environ.get("TERM") != "dumb"
    )


def is_live(stream: TextIO) -> bool:
    """Tell whether a view on `stream` may be redrawn in place."""
    return stream.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"


def styled(text: str, style: str, stream: TextIO | None = None) -> str:
    """Return `text` in a style, or as it is where `stream` (stdout) takes no colour."""
    if not text or not colours(stream or sys.stdout):
        return text
    return f"\033[{_CODES[style]}m{text}\033[0m"


def write(text: str = "") -> None:
    """Print a line that the user asked for."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Print a line beside the answer: progress, warnings, hints."""
    sys.stdout.flush()
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def write_json(document: Any) -> None:
    """Print one JSON document: as text, or in ASCII where that cannot be written."""
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
    try:
        text.encode()  # no names of files that are not UTF-8
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(document, indent=2, default=str)
    sys.stdout.write(text + "\n")


def make_ready() -> None:
    """Let standard output show escapes for what it cannot encode, and be there at all."""
    if sys.stdout is None:  # closed by who called us
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - to the end
    elif isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def give_up_stdout() -> None:
    """Let all that is still to be written there go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def duration(seconds: float) -> str:
    """Return seconds for people: `0.4 s`, `12 s`, `3 min 5 s`."""
    if round(seconds, 1) < 10:
        return f"{seconds:.1f} s"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def counted(number: int, noun: str) -> str:
    """Return `1 stage`, `2 stages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size(number: float) -> str:
    """Return bytes for people: `812 B`, `3.1 MB`; a kB is 1,000 bytes."""
    for unit in ("B", "kB", "MB", "GB"):
        if round(number, 1) < 1000:
            digits = 0 if unit == "B" or number >= 100 else 1
            return f"{number:.{digits}f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def width(stream: TextIO) -> int:
    """Return how many characters fit in a line of the terminal; 80 where nobody knows."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80

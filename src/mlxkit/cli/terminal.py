"""Writing to the terminal: colour only where it is wanted, text and hints on their streams."""

import io
import json
import os
import re
import sys
from typing import Any, TextIO

from mlxkit.core.words import counted as counted  # noqa: PLC0414 - as terminal.counted, too
from mlxkit.core.words import duration as duration  # noqa: PLC0414
from mlxkit.core.words import size as size  # noqa: PLC0414

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "cyan": "36",
}

_STYLE = r"\033\[[0-9;]*m"
# What moves the cursor, hides a line or turns text around: control codes, direction marks; and
# halves of characters, which no stream takes. Names that are not UTF-8 stay as they are.
_UNSAFE = re.compile(
    f"({_STYLE})|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    "\ud800-\udc7f\udd00-\udfff]"
)

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
    sys.stdout.write(_safe(text, sys.stdout) + "\n")


def note(text: str) -> None:
    """Print a line beside the answer: progress, warnings, hints."""
    sys.stdout.flush()
    sys.stderr.write(_safe(text, sys.stderr) + "\n")
    sys.stderr.flush()


def printable(text: str) -> str:
    """Return a text of one line whose control characters do nothing to a terminal."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _escaped(one) for one in text)


def _safe(text: str, stream: TextIO) -> str:
    """Return what a terminal may be given, whoever wrote it: styles where it takes them, no more.

    The last door: what is a name or a value should not come here with a style of its own.
    """
    if text.isprintable():
        return text
    coloured = colours(stream)
    return _UNSAFE.sub(
        lambda found: (found[1] if coloured else "") if found[1] else _escaped(found[0]), text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def write_json(document: Any, *, large: bool = False) -> None:
    """Print one JSON document: as text, or in ASCII where that cannot be written.

    A `large` one is on one line where no terminal shows it: that is written ten times as fast.
    """
    indent = None if large and not sys.stdout.isatty() else 2
    text = json.dumps(document, indent=indent, ensure_ascii=False, default=str)
    try:
        text.encode()  # no names of files that are not UTF-8
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(document, indent=indent, default=str)
    sys.stdout.write(text + "\n")


def make_ready() -> None:
    """Let standard output show escapes for what it cannot encode, and be there at all."""
    if sys.stdout is None:  # closed by who called us
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - to the end
    elif isinstance(sys.stdout, io.TextIOWrapper) and (
        sys.stdout.errors == "strict" or not takes("✓", sys.stdout)
    ):
        sys.stdout.reconfigure(errors="backslashreplace")


def give_up_stdout() -> None:
    """Let all that is still to be written there go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def takes(text: str, stream: TextIO) -> bool:
    """Tell whether `stream` can show these characters."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def width(stream: TextIO) -> int:
    """Return how many characters fit in a line of the terminal; 80 where nobody knows."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def height(stream: TextIO) -> int:
    """Return how many lines the terminal has; 24 where nobody knows."""
    try:
        return os.get_terminal_size(stream.fileno()).lines or 24
    except (OSError, ValueError):
        return 24

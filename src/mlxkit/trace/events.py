"""What was seen of a stage while it ran, as plain data, whoever saw it."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

READ, WRITE, LIST, START, BEGIN = "read", "write", "list", "start", "begin"
VARIABLE, CONNECT, NATIVE = "variable", "connect", "native"

_PYTHON = re.compile(r"(python|pypy)[0-9.]*t?")


class Event(NamedTuple):
    """One thing that a process did: `what` is an absolute path, a name, an address or a command."""

    kind: str
    pid: int
    what: str
    where: str = ""
    """The line of code, `FILE:LINE`, or the program, where that is known."""


@dataclass(slots=True)
class Seen:
    """All that the stage's processes did, each thing once, with the line of code if known."""

    reads: dict[str, str] = field(default_factory=dict)
    """Files read that the stage had not written before."""
    lists: dict[str, str] = field(default_factory=dict)
    writes: dict[str, str] = field(default_factory=dict)
    """Files written, moved or removed."""
    variables: dict[str, str] = field(default_factory=dict)
    connects: dict[str, str] = field(default_factory=dict)
    starts: dict[str, str] = field(default_factory=dict)
    native: dict[str, str] = field(default_factory=dict)
    """Packages with compiled code, which Python does not see opening files."""
    blind: dict[str, str] = field(default_factory=dict)
    """Pythons that told nothing of themselves (`python -I`)."""
    watched: set[int] = field(default_factory=set)
    """Processes that told of themselves: Pythons with our hook."""


def gather(events: Iterable[Event]) -> Seen:
    """Collect events in their order."""
    seen = Seen()
    places = {
        WRITE: seen.writes,
        LIST: seen.lists,
        VARIABLE: seen.variables,
        CONNECT: seen.connects,
        START: seen.starts,
        NATIVE: seen.native,
    }
    for event in events:
        if event.kind == BEGIN:
            seen.watched.add(event.pid)
        elif event.kind == READ:
            if event.what not in seen.writes:
                _note(seen.reads, event)
        elif event.kind in places:
            _note(places[event.kind], event)
    return seen


def joined(outside: Iterable[Event], inside: Seen) -> Seen:
    """Join what the system saw of all processes with what the Pythons among them told.

    The system sees every file and connection; only Python knows variables, lines, and whether it
    lists a folder for the program or to find a module.
    """
    told = list(outside)
    seen = gather(one for one in told if one.kind != LIST or one.pid not in inside.watched)
    for one in told:
        if one.kind == START and one.pid not in inside.watched and is_python(one.what):
            seen.blind[one.what] = ""
    for mine, theirs in (
        (seen.reads, inside.reads),
        (seen.writes, inside.writes),
        (seen.connects, inside.connects),
    ):
        for what in mine:
            mine[what] = theirs.get(what) or mine[what]
    seen.lists.update(inside.lists)
    seen.variables = inside.variables
    seen.native = inside.native
    seen.watched = inside.watched
    return seen


def is_python(command: str) -> bool:
    """Tell whether the first word of a command is a Python."""
    return _PYTHON.fullmatch(os.path.basename(command.partition(" ")[0])) is not None


def _note(place: dict[str, str], event: Event) -> None:
    if not place.get(event.what):
        place[event.what] = event.where

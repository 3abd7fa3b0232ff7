"""An event of the audit log as plain data, and the bytes that stand for it."""

import datetime
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError

FORMAT = 1


class Kind(StrEnum):
    """What happened. A log may hold kinds that a later mlx added."""

    RUN_PUSHED = "run-pushed"
    GATE_VERDICT = "gate-verdict"
    REGISTERED = "registered"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled-back"
    APPROVED = "approved"
    GC = "gc"
    OVERRIDE = "override"
    MERGED = "merged"
    ATTESTED = "attested"
    CHOSEN = "chosen"


class Person(NamedTuple):
    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class Event(NamedTuple):
    """One line of the log.

    `what` is plain JSON, as its kind has it. `when` is UTC with milliseconds, like
    `2026-01-02T03:04:05.678Z`. `previous` is the digest of the event before, "" for the first;
    `number` is one more than that event's, from 1. `mlx` is the version that wrote it.
    """

    kind: str
    who: Person
    when: str
    what: Mapping[str, Any]
    previous: str
    number: int
    mlx: str

    @property
    def seconds(self) -> int:
        """Return the time in whole seconds since 1970, as the commit has it."""
        return self.milliseconds // 1000

    @property
    def milliseconds(self) -> int:
        """Return the time in milliseconds since 1970."""
        since = _moment(self.when) - datetime.datetime.fromtimestamp(0, datetime.UTC)
        return since // datetime.timedelta(milliseconds=1)


def encode(event: Event) -> bytes:
    """Return the event's bytes: keys sorted, no spaces, UTF-8; raises MlxError for no JSON."""
    document = {**event._asdict(), "who": event.who._asdict(), "format": FORMAT}
    try:
        text = json.dumps(
            document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return text.encode("utf-8")
    except (TypeError, ValueError) as error:
        raise MlxError(f"an event of kind {event.kind} is no plain JSON: {error}") from None


def decode(data: bytes) -> Event:
    """Return the event that `data` stands for; raises ValueError, which says why, for others."""
    document = json.loads(data.decode("utf-8"))
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    if document.get("format") != FORMAT:
        raise ValueError(f"its format is {document.get('format')!r}, this mlx knows {FORMAT}")
    who = document.get("who")
    if not isinstance(who, dict) or {type(who.get(key)) for key in Person._fields} != {str}:
        raise ValueError("it does not say who")
    for key in ("kind", "when", "previous", "mlx"):
        if not isinstance(document.get(key), str):
            raise ValueError(f"{key!r} is missing")
    if not isinstance(document.get("what"), dict) or type(document.get("number")) is not int:
        raise ValueError("'what' or 'number' is missing")
    person = Person(who["name"], who["email"])
    event = Event(**{**{key: document[key] for key in Event._fields}, "who": person})
    _moment(event.when)
    try:
        as_written = encode(event)
    except MlxError as error:
        raise ValueError(error.message) from None
    if as_written != data:
        raise ValueError("its bytes are not as mlx writes them")
    return event


def digest(data: bytes) -> str:
    """Return the name of an event's bytes: their sha256."""
    import hashlib

    return hashlib.sha256(data).hexdigest()


def timestamp(nanoseconds: int) -> str:
    """Return a time since 1970 as an event has it."""
    moment = datetime.datetime.fromtimestamp(nanoseconds // 10**9, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds // 10**6 % 1000:03}Z"


def _moment(when: str) -> datetime.datetime:
    """Parse a time; raises ValueError."""
    if len(when) != 24:
        raise ValueError(f"{when!r} is not a time with milliseconds")
    return datetime.datetime.strptime(when, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.UTC)

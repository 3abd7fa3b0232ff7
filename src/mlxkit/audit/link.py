"""One commit of the log, as Git keeps it: read, taken apart, walked from the newest back."""

import heapq
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mlxkit.audit.event import Event, Person, decode, digest
from mlxkit.tools.git_objects import Object, ObjectReader

FILE = "event.json"
_STAMP = re.compile(rb"(.*) <(.*)> (-?\d{1,18}) ([+-]\d{4})")


class Stamp(NamedTuple):
    """Who and when, as a commit's header has it."""

    who: Person
    seconds: int


class Link(NamedTuple):
    """A commit of the log; `faults` say what is wrong with it alone.

    `event` and `digest` are None where there is no event to read. `signed` tells whether there
    is a signature, not whether it is good.
    """

    commit: str
    parents: tuple[str, ...] = ()
    author: Stamp | None = None
    committer: Stamp | None = None
    message: str = ""
    signed: bool = False
    event: Event | None = None
    digest: str | None = None
    faults: tuple[str, ...] = ()

    @property
    def when(self) -> int:
        """Return the commit's own time, 0 where it has none."""
        return self.committer.seconds if self.committer else 0


def walk(objects: ObjectReader, tips: Iterable[str], known: Iterable[str] = ()) -> Iterator[Link]:
    """Yield what the tips lead to, newest first, each once; stops at commits that are `known`."""
    start = set(tips).difference(known)
    seen = {*known, *start}
    ready = [_entry(read_link(objects, tip)) for tip in start]
    heapq.heapify(ready)
    while ready:
        link = heapq.heappop(ready)[-1]
        yield link
        for parent in link.parents:
            if parent not in seen:
                seen.add(parent)
                heapq.heappush(ready, _entry(read_link(objects, parent)))


def _entry(link: Link) -> tuple[int, int, str, Link]:
    """Order by time; of two events in one moment the later one has the higher number."""
    event = link.event
    moment = event.milliseconds if event else link.when * 1000
    return (-moment, -(event.number if event else 0), link.commit, link)


def read_link(objects: ObjectReader, commit: str) -> Link:
    """Read one commit; what is wrong with it is in its `faults`."""
    found = objects.read(commit)
    if found is None or found.kind != "commit":
        return Link(commit, faults=("the commit is missing or damaged",))
    link, tree = _parse(found)
    data, fault = _event_bytes(objects, tree)
    if data is None:
        return link._replace(faults=(fault,))
    try:
        event = decode(data)
    except (ValueError, RecursionError) as error:
        return link._replace(digest=digest(data), faults=(f"{FILE} is not an event: {error}",))
    link = link._replace(event=event, digest=digest(data))
    return link._replace(faults=tuple(_contradictions(link, event)))


def subject(event: Event) -> str:
    """Return the commit's message, for who looks at the log with Git."""
    return f"{event.kind} {event.number}\n"


def _parse(found: Object) -> tuple[Link, str]:
    head, _, message = found.data.partition(b"\n\n")
    fields: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        name, _, value = line.partition(b" ")
        fields.setdefault(name, []).append(value)  # a signature's other lines begin with a space
    link = Link(
        found.id,
        tuple(one.decode("ascii", "replace") for one in fields.get(b"parent", [])),
        _stamp(fields.get(b"author", [])),
        _stamp(fields.get(b"committer", [])),
        message.decode("utf-8", "replace"),
        b"gpgsig" in fields or b"gpgsig-sha256" in fields,
    )
    return link, fields.get(b"tree", [b""])[0].decode("ascii", "replace")


def _stamp(values: list[bytes]) -> Stamp | None:
    found = _STAMP.fullmatch(values[0]) if len(values) == 1 else None
    if found is None:
        return None
    name, email = (found[number].decode("utf-8", "replace") for number in (1, 2))
    return Stamp(Person(name, email), int(found[3]))


def _event_bytes(objects: ObjectReader, tree: str) -> tuple[bytes | None, str]:
    """Return the bytes of the one file that the tree may hold, or None and what is wrong."""
    listing = objects.read(tree)
    if listing is None or listing.kind != "tree":
        return None, "its tree is missing or damaged"
    start = f"100644 {FILE}\0".encode()
    named = listing.data.removeprefix(start).hex()
    if not listing.data.startswith(start) or len(named) != len(tree):
        return None, f"its tree is not just one {FILE}"
    blob = objects.read(named)
    if blob is None or blob.kind != "blob":
        return None, f"its {FILE} is missing or damaged"
    return blob.data, ""


def _contradictions(link: Link, event: Event) -> Iterator[str]:
    """Say where the commit tells something else than its event."""
    expected = Stamp(event.who, event.seconds)
    for role, stamp in (("author", link.author), ("committer", link.committer)):
        if stamp is None:
            yield f"the commit has no readable {role}"
        elif stamp.who != expected.who:
            yield f"the commit's {role} is {stamp.who}, the event's is {expected.who}"
        elif stamp.seconds != expected.seconds:
            yield f"the commit's {role} date is not the event's, {event.when}"
    if link.message != subject(event):
        yield "the commit's message is not the event's"

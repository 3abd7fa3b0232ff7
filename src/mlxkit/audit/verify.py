"""Finds what was removed from the log, changed in it, or put elsewhere."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from mlxkit.audit.event import Kind
from mlxkit.audit.link import Link, read_link, walk
from mlxkit.audit.log import holds, tip_of
from mlxkit.audit.memory import REF, Seen, alone, recall, remember, remote_tips
from mlxkit.audit.signatures import Signature, check_signatures
from mlxkit.tools.git_objects import ObjectReader


class Fault(StrEnum):
    """What kind of thing is wrong."""

    EVENT = "event"
    """An event is missing, unreadable, or contradicted by its commit."""
    CHAIN = "chain"
    """An event does not follow the one before it: some were removed, changed or reordered."""
    SIGNATURE = "signature"
    """A signature does not fit what it signs, or its key is no longer good."""
    TIP = "tip"
    """Events at the end that were seen before are gone."""


class Problem(NamedTuple):
    """What is wrong, and at which event; `number` is None where no event tells it."""

    kind: Fault
    number: int | None
    commit: str
    why: str


class Verdict(NamedTuple):
    """How a log stands. `unknown` counts good signatures whose keys nobody here vouches for."""

    events: int
    signed: int
    unknown: int
    problems: tuple[Problem, ...]


def verify(git_root: str) -> list[Problem]:
    """Return all that is wrong with the log, oldest first; raises MlxError."""
    return list(examine(git_root).problems)


def examine(git_root: str) -> Verdict:
    """Walk the whole log; a whole one's tip is remembered. Raises MlxError, OSError."""
    with alone(git_root) as place, ObjectReader(git_root) as objects:
        tip = tip_of(git_root)
        links = list(walk(objects, [tip] if tip else []))[::-1]
        problems = judge(links)
        signatures = check_signatures(git_root, [one.commit for one in links if one.signed])
        problems += _unsigned(links, signatures)
        problems += _lost(git_root, objects, tip, place)
        last = next((one for one in links if one.commit == tip), None)
        if not problems and last and last.event and last.digest:
            remember(place, Seen(last.commit, last.digest, last.event.number))
    unknown = sum(one is Signature.UNKNOWN for one in signatures.values())
    return Verdict(len(links), len(signatures), unknown, tuple(problems))


def judge(links: Sequence[Link], before: Mapping[str, Link] | None = None) -> list[Problem]:
    """Return what is wrong with links of the log; `before` are links they may follow. Pure."""
    known = {**(before or {}), **{one.commit: one for one in links}}
    found = []
    for link in links:
        number = link.event.number if link.event else None
        found += [Problem(Fault.EVENT, number, link.commit, why) for why in link.faults]
        if link.event is not None:
            parents = [known.get(one, Link(one)) for one in link.parents]
            breaks = _breaks(link, parents)
            found += [Problem(Fault.CHAIN, number, link.commit, why) for why in breaks]
    return found


def place_of(problem: Problem) -> str:
    """Return where a problem is, for people."""
    event = f"event {problem.number}" if problem.number is not None else "the log"
    return f"{event}, commit {problem.commit[:12]}" if problem.commit else event


def _breaks(link: Link, parents: Sequence[Link]) -> Iterator[str]:
    """Say where an event does not follow the ones before it."""
    event = link.event
    assert event is not None
    if not parents:
        if event.previous:
            yield "what came before it was removed"
        elif event.number != 1:
            yield f"it is the first event, yet its number is {event.number}"
        return
    if len(parents) > 1 or event.kind == Kind.MERGED:
        if event.kind != Kind.MERGED or len(parents) != 2:
            yield f"an event of kind '{event.kind}' has {len(parents)} before it"
            return
        if event.what.get("tips") != [one.digest for one in parents]:
            yield "it joins other events than those it names: one was removed or changed"
            return
    before = parents[0]
    if before.digest is not None and event.previous != before.digest:
        yield (
            f"it follows {_named(before)}, which is not what it names as the event before: "
            "one was removed, changed or moved"
        )
        return
    numbers = [one.event.number for one in parents if one.event]
    if len(numbers) == len(parents) and event.number != 1 + max(numbers):
        yield f"it follows {_named(before)}, yet its number is {event.number}"


def _named(link: Link) -> str:
    return f"event {link.event.number}" if link.event else f"commit {link.commit[:12]}"


def _unsigned(links: Iterable[Link], said: Mapping[str, Signature]) -> Iterator[Problem]:
    words = {
        Signature.BAD: "its signature is bad: it was changed after it was signed",
        Signature.EXPIRED: "it is signed with a key that has expired",
        Signature.REVOKED: "it is signed with a key that was revoked",
    }
    for link in links:
        why = words.get(said.get(link.commit, Signature.GOOD))
        if why:
            number = link.event.number if link.event else None
            yield Problem(Fault.SIGNATURE, number, link.commit, why)


def _lost(git_root: str, objects: ObjectReader, tip: str | None, place: str) -> Iterator[Problem]:
    """Compare the log's end with what was seen of it, here and at remotes."""
    try:
        seen = recall(place)
    except ValueError:
        why = f"the file that remembers the log's end is damaged: {place}/audit-tip"
        yield Problem(Fault.TIP, None, "", why)
        seen = None
    if seen is not None and not (tip and holds(git_root, tip, seen.commit)):
        yield Problem(Fault.TIP, seen.number, seen.commit, _ending(git_root, objects, tip, seen))
    for remote, commit in remote_tips(git_root).items():
        if not (tip and holds(git_root, tip, commit)):
            link = read_link(objects, commit)
            number = link.event.number if link.event else None
            why = f"{remote} had it, this log does not: to get it back, run: mlx fetch"
            yield Problem(Fault.TIP, number, commit, why)


def _ending(git_root: str, objects: ObjectReader, tip: str | None, seen: Seen) -> str:
    """Say how a log that does not hold what was seen came to be."""
    if tip is not None and not holds(git_root, seen.commit, tip):
        return "the log was replaced: this event, its last when it was last seen, is not in it"
    lost = "the whole log was removed" if tip is None else "the log was cut short"
    # The commits that no ref names any more stay until Git clears up.
    there = objects.read(seen.commit) is not None
    back = f"; to get it back, run: git update-ref {REF} {seen.commit}" if there else ""
    return f"{lost}: this was its last event{back}"

"""Writes events to the log and reads them back."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from mlxkit import __version__
from mlxkit.audit.event import Event, Kind, Person, digest, encode, timestamp
from mlxkit.audit.link import FILE, Link, read_link, subject, walk
from mlxkit.audit.memory import REF, Seen, alone, recall, remember
from mlxkit.core.errors import BusyError, MlxError
from mlxkit.tools import git
from mlxkit.tools.git_objects import ObjectReader

_TRIES = 20
_PAUSE = 0.02
_NOTHING: Final[Mapping[str, str]] = {}
SETTINGS = ("core.hooksPath=/dev/null", "i18n.commitEncoding=UTF-8")


class Entry(NamedTuple):
    """An event that is in the log, with its commit and its digest."""

    commit: str
    digest: str
    event: Event


def append(
    git_root: str, kind: Kind, what: Mapping[str, Any], *, creates: Mapping[str, str] = _NOTHING
) -> Entry:
    """Add an event at the end of the log, by Git's user, now.

    `creates` are refs that come to be with it, in one transaction of Git's: both or neither.
    Raises GitError where one of them is there already, MlxError where Git does not know the user,
    cannot sign, or cannot write, and BusyError where other processes keep the ref; then there is
    no event.
    """

    def make(parents: Sequence[Link]) -> tuple[Kind, Mapping[str, Any]]:
        return kind, what

    with alone(git_root) as place:
        return _extend(git_root, place, lambda tip: [tip] if tip else [], make, creates)


def join(git_root: str, other: str) -> Entry | None:
    """Make the log hold the events of the commit `other`, too: another clone's log.

    Returns the event that joins two logs which grew apart, or None where one held the other.
    Raises as `append` does.
    """

    def make(parents: Sequence[Link]) -> tuple[Kind, Mapping[str, Any]]:
        return Kind.MERGED, {"tips": [one.digest for one in parents]}

    with alone(git_root) as place:
        for _ in range(_TRIES):
            tip = tip_of(git_root)
            if tip is not None and holds(git_root, tip, other):
                return None
            if tip is not None and not holds(git_root, other, tip):
                return _extend(git_root, place, lambda tip: [tip or other, other], make)
            if _moved(git_root, tip, other):
                with ObjectReader(git_root) as objects:
                    _remember(git_root, place, read_link(objects, other))
                return None
            time.sleep(_PAUSE)
    raise _busy()


def entries(git_root: str, chosen: Callable[[Event], bool], limit: int = 0) -> list[Entry]:
    """Return the newest events that are chosen, newest first; 0: all of them.

    Commits without a readable event are passed over: `verify` tells of them. Raises MlxError.
    """
    found: list[Entry] = []
    tip = tip_of(git_root)
    if tip is None:
        return found
    with ObjectReader(git_root) as objects:
        for link in walk(objects, [tip]):
            if link.event is not None and link.digest is not None and chosen(link.event):
                found.append(Entry(link.commit, link.digest, link.event))
                if len(found) == limit:
                    break
    return found


def read(git_root: str) -> list[Event]:
    """Return all events, oldest first; raises MlxError."""
    return [one.event for one in reversed(entries(git_root, lambda _: True))]


def tip_of(git_root: str, ref: str = REF) -> str | None:
    """Return the commit at the end of the log, or None where there is no log; raises MlxError."""
    found = git.run(git_root, "rev-parse", "--verify", "--quiet", ref, ok=(0, 1, 128))
    return found.decode("ascii").strip() or None


def holds(git_root: str, tip: str, commit: str) -> bool:
    """Tell whether `tip` leads to `commit`; one that is not there leads nowhere."""
    if tip == commit:
        return True
    ask = ("merge-base", "--is-ancestor", commit, tip)
    try:
        git.run(git_root, *ask, env={"GIT_NO_REPLACE_OBJECTS": "1"})
    except git.GitError:
        return False
    return True


Make = Callable[[Sequence[Link]], tuple[Kind, Mapping[str, Any]]]


def _extend(
    git_root: str,
    place: str,
    parents: Callable[[str | None], list[str]],
    make: Make,
    creates: Mapping[str, str] = _NOTHING,
) -> Entry:
    who = identity(git_root)
    for _ in range(_TRIES):
        tip = tip_of(git_root)
        with ObjectReader(git_root) as objects:
            links = [read_link(objects, one) for one in dict.fromkeys(parents(tip))]
        kind, what = make(links)
        event = _next(kind, what, who, links)
        data = encode(event)
        commit = _write(git_root, event, data, [one.commit for one in links])
        if _moved(git_root, tip, commit, creates):
            entry = Entry(commit, digest(data), event)
            _remember(git_root, place, Link(commit, event=event, digest=entry.digest))
            return entry
        time.sleep(_PAUSE)
    raise _busy()


def _next(kind: Kind, what: Mapping[str, Any], who: Person, before: Sequence[Link]) -> Event:
    for one in before:
        if one.event is None:
            raise MlxError(
                f"the audit log's last commit, {one.commit[:12]}, holds no event",
                hint="see: mlx audit verify",
            )
    number = 1 + max((one.event.number for one in before if one.event), default=0)
    previous = (before[0].digest if before else None) or ""
    when = timestamp(time.time_ns())
    return Event(str(kind), who, when, what, previous, number, __version__)


def identity(git_root: str) -> Person:
    """Return who Git says that the user is; else the system's user, unless Git shall not guess.

    Raises MlxError.
    """
    try:
        said = git.run(git_root, "var", "GIT_COMMITTER_IDENT").decode("utf-8", "replace")
        name, _, rest = said.strip().partition(" <")
        return Person(name, rest.partition("> ")[0])
    except git.GitError as error:
        asked = git.run(git_root, "config", "--bool", "user.useConfigOnly", ok=(0, 1, 128))
        if asked.strip() == b"true":
            raise MlxError(
                f"no event was written: Git does not know who you are ({error.message})",
                hint="run: git config user.name NAME; git config user.email ADDRESS",
            ) from None
    import getpass
    import platform

    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user that has no name
        name = "unknown"
    return Person(name, f"{name}@{platform.node()}")


def _write(git_root: str, event: Event, data: bytes, parents: Sequence[str]) -> str:
    """Write the event's commit, which no ref names yet."""
    blob = git.run(git_root, "hash-object", "-w", "--no-filters", "--stdin", stdin=data)
    listing = f"100644 blob {blob.decode('ascii').strip()}\t{FILE}\n".encode()
    tree = git.run(git_root, "mktree", stdin=listing).decode("ascii").strip()
    signs = git.run(git_root, "config", "--bool", "commit.gpgSign", ok=(0, 1)).strip() == b"true"
    options = [*(["-S"] if signs else []), *(word for one in parents for word in ("-p", one))]
    stamp = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (
            ("NAME", event.who.name),
            ("EMAIL", event.who.email),
            ("DATE", f"@{event.seconds} +0000"),
        )
    }
    try:
        made = git.run(
            git_root,
            "commit-tree",
            tree,
            *options,
            stdin=subject(event).encode(),
            env=stamp,
            settings=SETTINGS,
        )
    except git.GitError as error:
        why = " ".join(error.said.split())
        doing = "it could not be signed" if signs else "Git could not write it"
        hint = "see: git config --get-regexp 'gpg|sign'" if signs else None
        raise MlxError(
            f"the event '{event.kind}' was not written to the audit log: {doing}: {why}", hint=hint
        ) from None
    return made.decode("ascii").strip()


def _moved(
    git_root: str, before: str | None, after: str, creates: Mapping[str, str] = _NOTHING
) -> bool:
    """Move the ref, if it is still where it was; raises MlxError where it cannot be moved."""
    lines = [f"update {REF} {after} {before or '0' * len(after)}\n"]
    lines += [f"create {ref} {oid}\n" for ref, oid in creates.items()]
    try:
        git.run(
            git_root, *("update-ref", "--stdin"), stdin="".join(lines).encode(), settings=SETTINGS
        )
    except git.GitError as error:
        # Moved by another, or held by one who is about to: to try again will do.
        if tip_of(git_root) == before and "File exists" not in error.said:
            raise
        return False
    return True


def _remember(git_root: str, place: str, link: Link) -> None:
    """Remember the new tip, unless the log lost what was remembered: that must stay known."""
    if link.event is None or link.digest is None:
        return
    try:
        seen = recall(place)
    except ValueError:
        return
    if seen is None or holds(git_root, link.commit, seen.commit):
        remember(place, Seen(link.commit, link.digest, link.event.number))


def _busy() -> MlxError:
    return BusyError(f"other processes keep {REF}", hint="try again when they have ended")

"""All tags of a repository that speak of models, from one `git for-each-ref`."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.tools import git
from mlxkit.versions import trailer
from mlxkit.versions.grammar import Meaning, parse

_FIELDS = (
    "refname", "objectname", "objecttype", "object", "type", "taggerdate:unix", "taggername",
    "taggeremail", "contents",
)  # fmt: skip
SIGNED = re.compile(r"^-----BEGIN (?:PGP|SSH) SIGNATURE-----|^-----BEGIN SIGNED MESSAGE-----",
                     re.MULTILINE)  # fmt: skip
_OFFSET = re.compile(r"-?\d+")


class Event(NamedTuple):
    """What one tag did: `commit` is what it leads to, `time` in seconds since 1970.

    `told` is what mlx wrote of it, empty for a tag of another program; `trouble` says what is
    wrong with what is there.
    """

    tag: str
    meaning: Meaning
    commit: str
    time: int
    name: str = ""
    email: str = ""
    message: str = ""
    told: Mapping[str, Any] = {}
    trouble: str = ""
    signed: bool = False

    @property
    def order(self) -> tuple[int, int, str]:
        """Return what events are ordered by: time, as GTO does; then counters, then names."""
        return self.time, self.meaning.counter or -1, self.tag

    @property
    def note(self) -> str:
        """Return what is worth knowing at a glance: whether the gate had its way, and why."""
        gate = self.told.get("gate")
        gate = gate if isinstance(gate, dict) else {}
        asked = (
            "no gate"
            if gate.get("left_out")
            else "gate overridden"
            if gate.get("overridden")
            else ""
        )
        reason = self.told.get("reason") or gate.get("reason") or ""
        return ": ".join(one for one in (asked, reason) if one and isinstance(one, str))


class Listed(NamedTuple):
    """The events, oldest first, and notes on tags that look like one and are none."""

    events: list[Event]
    notes: list[str]


def list_events(git_root: str) -> Listed:
    """Return what the tags say; raises MlxError where Git cannot read them."""
    wanted = "%00".join(f"%({name})" for name in _FIELDS)
    try:
        told = git.run(git_root, "for-each-ref", f"--format={wanted}%00", "refs/tags/")
    except git.GitError as error:
        raise MlxError(
            f"the tags cannot be read: {error.said.splitlines()[-1] if error.said else error}",
            hint="see: git fsck; then delete the tag, or fetch it: git fetch --tags --force",
        ) from None
    texts = told.decode("utf-8", "surrogateescape").split("\0")
    events, notes = [], []
    for start in range(0, len(texts) - len(_FIELDS), len(_FIELDS)):
        row = dict(zip(_FIELDS, texts[start : start + len(_FIELDS)], strict=True))
        tag = row["refname"].removeprefix("\n").removeprefix("refs/tags/")
        meaning = parse(tag)
        if meaning is None:
            continue
        why = _no_event(row)
        if why:
            notes.append(f"tag {tag} {why}: it does not count")
        else:
            events.append(_event(tag, meaning, row))
    events.sort(key=lambda one: one.order)
    return Listed(events, notes)


def _no_event(row: Mapping[str, str]) -> str:
    if row["objecttype"] != "tag":
        return "is lightweight, it does not say who made it and when"
    if row["type"] != "commit":
        return f"leads to a {row['type']}, not to a commit"
    return ""


def _event(tag: str, meaning: Meaning, row: Mapping[str, str]) -> Event:
    trouble, told = "", None
    text = row["contents"]
    signature = SIGNED.search(text)
    if signature is not None:
        text = text[: signature.start()]
    try:
        told = trailer.read(text)
    except trailer.Unreadable as error:
        trouble = f"the message of tag {tag} is damaged: {error}"
    date = row["taggerdate:unix"]
    return Event(
        tag=tag,
        meaning=meaning,
        commit=row["object"],
        time=int(date) if _OFFSET.fullmatch(date) else 0,
        name=row["taggername"],
        email=row["taggeremail"].strip("<>"),
        message=trailer.without(text),
        told=told or {},
        trouble=trouble,
        signed=signature is not None,
    )

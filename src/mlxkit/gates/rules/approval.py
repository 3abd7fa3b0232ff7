"""`approval: {from, least, not_author, signed}`: who approved this, as the audit log has it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.gates.approvals import Approval, approvals, authors_of, thing_of
from mlxkit.gates.context import Context
from mlxkit.gates.verdict import Unjudged, Verdict, Word


class Counted(NamedTuple):
    """Who counts, and why others do not."""

    who: Sequence[str]
    not_counted: Sequence[str]


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Count the people who approved this commit with these digests; raises Unjudged."""
    session = context.session
    if session is None or session.git_root is None:
        raise Unjudged("without Git nobody can approve")
    try:
        thing = thing_of(session, context.subject)
        known = approvals(session, context.name, signed=settings["signed"])
    except MlxError as error:
        raise Unjudged(f"approvals cannot be told: {error}") from None
    found = count(settings, [one for one in known if one.thing == thing], session.git_root)
    least, number = settings["least"], len(found.who)
    word: Word = "pass" if number >= least else "fail"
    by = ", ".join(found.who) or "nobody"
    why = f"approved by {by}: {number} of {least} ({thing.commit[:12]})"
    if word == "fail":
        why += f"; may approve: {', '.join(settings['by'])}"
    if found.not_counted:
        why += f"; not counted: {', '.join(found.not_counted)}"
    elif not found.who and any(one.thing.commit != thing.commit for one in known):
        why += "; approvals are of other commits"
    return [Verdict("approval", word, why, context.name, number, least)]


def count(settings: Mapping[str, Any], found: Sequence[Approval], git_root: str) -> Counted:
    """Return who counts, of approvals of one commit."""
    asked = settings["not_author"] and found
    return counted(settings, found, authors_of(git_root, found[0].thing.commit) if asked else ())


def counted(
    settings: Mapping[str, Any], found: Sequence[Approval], author: Sequence[str]
) -> Counted:
    """Return the different people among the allowed who approved; pure."""
    allowed = {one.casefold(): one for one in settings["by"]}
    people: dict[str, str] = {}
    names: set[str] = set()
    refused: dict[str, None] = {}
    for one in found:
        keys = [one.email.casefold(), one.name.casefold()]
        entry = allowed.get(keys[0]) or (None if "@" in one.name else allowed.get(keys[1]))
        if entry is None:
            refused[f"{one.name} (is not one of them)"] = None
        elif set(keys) & {each.casefold() for each in author}:
            refused[f"{one.name} (is the author)"] = None
        elif not one.good:
            refused[f"{one.name} (without a good signature of theirs)"] = None
        elif entry not in people and not names & set(keys):
            people[entry] = one.name
            names.update(keys)
    return Counted(list(people.values()), list(refused))

"""`approval: {from, least, not_author}`: who approved just this, as the audit log has it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.gates.approvals import Approval, approvals, author_of, thing_of
from mlxkit.gates.bench import Bench
from mlxkit.gates.verdict import Unjudged, Verdict, Word


class Counted(NamedTuple):
    """Who counts, and why others do not."""

    who: Sequence[str]
    not_counted: Sequence[str]


def check(settings: Mapping[str, Any], bench: Bench) -> list[Verdict]:
    """Count the people who approved this commit with these digests; raises Unjudged."""
    session = bench.session
    if session is None or session.git_root is None:
        raise Unjudged("without Git nobody can approve")
    try:
        thing = thing_of(session, bench.subject)
        known = approvals(session, bench.name, signed=settings["signed"])
    except MlxError as error:
        raise Unjudged(f"approvals cannot be told: {error}") from None
    author = author_of(session.git_root, thing.commit) if settings["not_author"] else ()
    found = counted(settings, [one for one in known if one.thing == thing], author)
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
    return [Verdict("approval", word, why, bench.name, number, least)]


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
        entry = next((allowed[key] for key in keys if key in allowed), None)
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

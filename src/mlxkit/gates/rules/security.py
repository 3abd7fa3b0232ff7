"""`security: {path, formats, attested_by}`: may the model's file be loaded, and who vouches for it.

Its format is what its content says. That its digest is the one that the lock records is seen to by
`Subject.data`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mlxkit.core.errors import MlxError
from mlxkit.gates.context import Context, Data
from mlxkit.gates.models.allowed import TRUSTED
from mlxkit.gates.models.feeding import safe_format
from mlxkit.gates.models.formats import SKOPS
from mlxkit.gates.models.process import ask
from mlxkit.gates.verdict import Unjudged, Verdict

_WITHIN = 60
_LIMIT = 4 << 30
_SHOWN = 5


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Look at a model's format, at the types it holds, at its attestations; raises Unjudged."""
    subject, path = context.subject, settings["path"]
    data = subject.data(path)
    evidence = {subject.key(path): data.md5}
    try:
        if data.is_dir:
            raise Unjudged(f"{subject.place(path)} is a folder, not a file")
        told = [Verdict("security", "pass", _loadable(settings, data, subject.place(path)), path)]
        if settings["attested_by"]:
            told.append(_attested(settings, context, data))
    except Unjudged as error:
        raise Unjudged(error.why, evidence) from None
    return [one._replace(evidence=evidence) for one in told]


def _loadable(settings: Mapping[str, Any], data: Data, shown: str) -> str:
    """Say what the file is; raises Unjudged for one that may not be loaded."""
    found = safe_format(data.path, shown)
    if found not in settings["formats"]:
        raise Unjudged(f"{shown} is {found}, not {' or '.join(settings['formats'])}")
    if found != SKOPS:
        return f"{shown} is {found}, which holds no code"
    request = {"model": data.path, "within": _WITHIN, "limit": _LIMIT}
    try:
        answer = ask("types", {**request, "types": [*TRUSTED, *settings["types"]]})
    except Unjudged as error:
        raise Unjudged(f"{shown}: {error.why}") from None
    if answer["types"]:
        some = ", ".join(answer["types"][:_SHOWN])
        more = f" and {len(answer['types']) - _SHOWN} more" if answer["types"][_SHOWN:] else ""
        raise Unjudged(f"{shown} holds types that are not allowed: {some}{more}")
    return f"{shown} is {found} of allowed types only"


def _attested(settings: Mapping[str, Any], context: Context, data: Data) -> Verdict:
    """Look for an attestation of just these bytes by one of the people; raises Unjudged."""
    from mlxkit.attest.check import verify_content
    from mlxkit.attest.subjects import Target
    from mlxkit.lineage.index import open_index
    from mlxkit.lineage.query import Asked

    session, path, wanted = context.session, settings["path"], settings["attested_by"]
    if session is None or session.git_root is None:
        raise Unjudged(f"{path}: without Git nothing can be attested")
    index = open_index(session.root, session.git_root, lambda _: None)
    try:
        target = Target(Asked(data.md5), data.path)
        verdicts = verify_content(index, target, datetime.now(UTC))
    except MlxError as error:
        raise Unjudged(f"{path}: its attestations cannot be checked: {error}") from None
    finally:
        index.close()
    good = [one for one in verdicts if one.ok]
    if not good:
        why = verdicts[0].problems[0].why if verdicts and verdicts[0].problems else "none holds"
        raise Unjudged(f"{path}: no attestation of it holds: {why}")
    names = {who.strip() for one in good for each in one.signers for who in each.who.split(",")}
    if not names & set(wanted):
        raise Unjudged(
            f"{path}: attested by {', '.join(sorted(names))}, not by {' or '.join(wanted)}"
        )
    who = ", ".join(sorted(names & set(wanted)))
    return Verdict("security", "pass", f"{path}: attested by {who}", f"attestation of {path}")

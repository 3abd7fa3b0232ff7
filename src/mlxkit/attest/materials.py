"""Does what a statement says of inputs and versions fit what lineage knows."""

from collections.abc import Iterator, Sequence

from mlxkit.attest.made import Made, made_of, same_params
from mlxkit.attest.statement import FOLDER, Claim, Named, Statement
from mlxkit.attest.subjects import Problem
from mlxkit.audit.log import holds
from mlxkit.lineage.index import Index
from mlxkit.lineage.query import Asked
from mlxkit.tools import git

_MOST = 3


def compare(
    index: Index, statement: Statement, asked: Asked | None, *, same: bool
) -> tuple[list[Problem], list[str]]:
    """Return what contradicts lineage, and what lineage cannot tell.

    How it was made is compared only where it is the `same` content that the statement is about.
    """
    claim = statement.claim
    if claim is None:
        return [], [f"of {statement.predicate_type} only signatures and files were checked"]
    problems = list(_version(index, claim, asked))
    notes = [] if problems or (asked and asked.commit) else list(_unknown(index, claim))
    head = git.commit_id(index.git_root, "HEAD")
    for one in _asked(claim, asked) if same else ():
        known = made_of(index, one, head)
        if not known:
            notes.append(f"lineage here knows nothing of '{one.path}'")
        elif not any(not _differences(claim, made) for made in known):
            why = "; ".join(_differences(claim, known[-1]))
            problems.append(Problem("material", None, one.path, why))
    return problems, notes


def _asked(claim: Claim, asked: Asked | None) -> Sequence[Asked]:
    if asked is not None:
        return [asked]
    return [
        Asked(one.digest.get("md5") or f"{one.digest[FOLDER]}.dir", one.name)
        for one in claim.subjects
        if "md5" in one.digest or FOLDER in one.digest
    ]


def _version(index: Index, claim: Claim, asked: Asked | None) -> Iterator[Problem]:
    """Refuse the statement of a version that comes after, or beside, the one that was named."""
    if asked is None or asked.commit is None or claim.version is None:
        return
    if not holds(index.git_root, asked.commit, claim.version):
        why = (
            f"the statement is about another version: that of commit {claim.version[:12]}, "
            f"which is not in {asked.commit[:12]}"
        )
        yield Problem("commit", None, asked.path, why)


def _unknown(index: Index, claim: Claim) -> Iterator[str]:
    if claim.version and git.commit_id(index.git_root, claim.version) is None:
        yield f"the commit {claim.version[:12]} of the statement is not in this repository"


def _differences(claim: Claim, made: Made) -> list[str]:
    """Say what a statement says of how something was made that its record does not."""
    found = []
    if claim.cmd != made.cmd:
        found.append("the statement names another command than what is recorded")
    if not same_params(claim.params, made.params):
        found.append("the statement names other parameters than what is recorded")
    said = {one.name: _md5(one) for one in claim.materials if one.digest}
    recorded = {one.path: one.md5 for one in made.deps if one.md5}
    changed = sorted(path for path in {*said, *recorded} if said.get(path) != recorded.get(path))
    if changed:
        more = f" and {len(changed) - _MOST} more" if len(changed) > _MOST else ""
        names = ", ".join(changed[:_MOST])
        found.append(f"the statement names other inputs than what is recorded: {names}{more}")
    return found


def _md5(one: Named) -> str:
    return f"{one.digest[FOLDER]}.dir" if FOLDER in one.digest else one.digest.get("md5", "")

"""DVC's references to experiments: `refs/exps/ab/cdef…/NAME`, named by the baseline's commit."""

import os
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mlxkit.core.errors import MlxError, UsageError
from mlxkit.tools import git

NAMESPACE = "refs/exps"
APPLIED = "refs/exps/exec/EXEC_APPLY"
"""Where DVC notes the experiment that was applied last."""
_REF = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38}|[0-9a-f]{62})/([^/]+)", re.DOTALL)
_ID = re.compile(r"[0-9a-f]{4,64}")
_QUIET = ("core.hooksPath=/dev/null",)
_NEVER = re.compile(r"[\x00-\x20\x7f~^:?*\[\\/]|\.\.|@\{|^\.|^@$|\.$|\.lock$")


class Experiment(NamedTuple):
    """A named result: `commit` was made from the commit `baseline`."""

    baseline: str
    name: str
    commit: str

    @property
    def ref(self) -> str:
        """Return the name of its reference."""
        return ref_name(self.baseline, self.name)


class Exists(MlxError):
    """There is another experiment of that name and baseline."""

    code = "exists"


def ref_name(baseline: str, name: str) -> str:
    """Return the reference of an experiment of that name."""
    return f"{NAMESPACE}/{baseline[:2]}/{baseline[2:]}/{name}"


def incoming(ref: str) -> str:
    """Return where a remote's reference is kept until all that belongs to it is here."""
    return "refs/mlx/incoming/" + ref.removeprefix("refs/")


def parse_ref(ref: str) -> tuple[str, str] | None:
    """Return baseline and name of a reference; None for DVC's own (its queue, its stashes)."""
    found = _REF.fullmatch(ref)
    return (found[1] + found[2], found[3]) if found else None


def check_name(name: str) -> None:
    """Raise UsageError for what cannot name an experiment, or would be taken for an option."""
    if not name or name.startswith("-") or _NEVER.search(name):
        raise UsageError(
            f"{name!r} cannot name an experiment",
            hint="use letters, digits, '-', '_' and '.', and begin with a letter or digit",
        )


def list_experiments(git_root: str, baseline: str | None = None) -> list[Experiment]:
    """Return all experiments, or those made from one commit, in the order of their references."""
    under = f"{NAMESPACE}/{baseline[:2]}/{baseline[2:]}/" if baseline else f"{NAMESPACE}/"
    told = git.run(git_root, "for-each-ref", "--format=%(objectname) %(refname)", under)
    found = []
    for line in told.split(b"\n"):
        commit, _, ref = line.partition(b" ")
        parts = parse_ref(os.fsdecode(ref))
        if parts is not None:
            found.append(Experiment(*parts, commit.decode("ascii")))
    return found


def find_experiment(git_root: str, what: str) -> Experiment:
    """Return the experiment of a name, a full reference or (a beginning of) its commit's id.

    Of several with one name that of the current commit is meant. Raises UsageError for none, and
    for several.
    """
    known = list_experiments(git_root)
    found = named(known, what) or _by_commit(known, what)
    if len(found) > 1:
        head = git.commit_id(git_root, "HEAD")
        found = [one for one in found if one.baseline == head] or found
    return only(found, what, known)


def named(known: Iterable[Experiment], what: str) -> list[Experiment]:
    """Return the experiments that a name or a full reference stands for."""
    if what.startswith("refs/"):
        return [one for one in known if one.ref == what]
    return [one for one in known if one.name == what]


def only(found: Sequence[Experiment], what: str, known: Iterable[Experiment]) -> Experiment:
    """Return the one experiment found; raises UsageError for none, and for several."""
    if len(found) == 1:
        return found[0]
    if found:
        refs = "\n".join(f"  {one.ref}" for one in found)
        raise UsageError(
            f"'{what}' names {len(found)} experiments:\n{refs}",
            hint="name one of these references in full",
        )
    raise UsageError(f"there is no experiment '{what}'", hint=_nearest(what, known))


def write_experiment(
    git_root: str, experiment: Experiment, *, previous: str = "", message: str = ""
) -> None:
    """Set an experiment's reference from the commit `previous`, or anew where that is empty.

    Raises UsageError for a name that cannot be one, Exists where the reference is not (or no more)
    what was expected; then nothing is written.
    """
    check_name(experiment.name)
    expected = previous or "0" * len(experiment.commit)
    words = ("update-ref", "--no-deref", *(("-m", message) if message else ()))
    try:
        git.run(git_root, *words, experiment.ref, experiment.commit, expected, settings=_QUIET)
    except git.GitError as error:
        if "cannot lock ref" not in error.said:
            raise
        raise exists(experiment) from None


def rename_experiment(
    git_root: str, old: Experiment, new: Experiment, replaced: Experiment | None = None
) -> None:
    """Move a reference in one step; raises Exists where there is one but `replaced`."""
    expected = replaced.commit if replaced else "0" * len(new.commit)
    lines = (
        f"update {new.ref} {new.commit} {expected}\n"
        f"delete {old.ref} {old.commit}\n"
    )  # fmt: skip
    try:
        _update(git_root, lines)
    except git.GitError as error:
        if "cannot lock ref" not in error.said:
            raise
        raise exists(new) from None


def delete_experiments(git_root: str, gone: Iterable[Experiment]) -> None:
    """Delete references, all of them or none; raises MlxError where one is not as it was."""
    lines = [f"delete {one.ref} {one.commit}\n" for one in gone]
    if lines:
        _update(git_root, "".join(lines))


def _update(git_root: str, lines: str) -> None:
    given = os.fsencode(lines)
    git.run(git_root, "update-ref", "--no-deref", "--stdin", stdin=given, settings=_QUIET)


def exists(experiment: Experiment) -> Exists:
    """Return the error that another experiment has the name."""
    return Exists(
        f"there is another experiment '{experiment.name}' of {experiment.baseline[:7]}",
        hint="choose another name, or give --force",
    )


def _by_commit(known: Iterable[Experiment], what: str) -> list[Experiment]:
    if not _ID.fullmatch(what):
        return []
    return [one for one in known if one.commit.startswith(what)]


def _nearest(what: str, known: Iterable[Experiment]) -> str:
    import difflib

    near = difflib.get_close_matches(what, {one.name for one in known}, n=1)
    return f"did you mean '{near[0]}'?" if near else "see: mlx exp list -A"

"""Questions about metrics and parameters of revisions, and their answers for `show` and `diff`."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.comparison.documents import (
    Asked,
    Values,
    is_unread,
    plain_values,
    read,
    shown,
    troubles,
    without_workspace,
)
from mlxkit.comparison.metrics import gather_metrics
from mlxkit.comparison.params import gather_params
from mlxkit.comparison.revisions import Revision, active_branch, choose, has_commits, resolve
from mlxkit.comparison.source import Source
from mlxkit.comparison.state import Trouble
from mlxkit.comparison.states import WORKSPACE, States
from mlxkit.core.errors import UsageError
from mlxkit.metrics.difference import Change, difference
from mlxkit.pipeline.session import Session
from mlxkit.runs.choose import project_of


class Told(NamedTuple):
    """What revisions say: all of it, what could be read (by shown path), and what could not."""

    found: Mapping[str, Values | Trouble]
    values: Mapping[str, Mapping[str, Any]]
    warnings: list[str]


class Compared(NamedTuple):
    """What changed between two revisions by shown path, and what could not be read.

    Of files that are `unread` at one of them the other's values are there alone.
    """

    changes: Mapping[str, Mapping[str, Change]]
    warnings: list[str]
    unread: frozenset[str] = frozenset()


def ask_metrics(targets: Sequence[str] = ()) -> Asked:
    """Return the question for all metrics, or for those in `targets`."""
    if not targets:
        return Asked(gather_metrics, lambda state: state.metrics)
    return Asked(lambda source: gather_metrics(source, targets))


def ask_params(
    targets: Sequence[str] = (), *, stages: Sequence[str] = (), deps_only: bool = False
) -> Asked:
    """Return the question for all parameters, for those in files, or for what stages use.

    `stages` are keys of stages.
    """
    if not (targets or stages or deps_only):
        return Asked(gather_params, lambda state: state.params)

    def ask(source: Source) -> Values:
        chosen = [one for one, _ in source.declares.stages if one.key in stages]
        if stages and not chosen:
            return {}
        return gather_params(source, targets, stages=chosen, deps_only=deps_only)

    return Asked(ask)


def show_all(
    session: Session,
    asked: Asked,
    *,
    branches: bool = False,
    tags: bool = False,
    commits: bool = False,
) -> Told:
    """Ask the working tree, or branches, tags, commits; raises MlxError.

    The working tree is left out where it says the same as the branch that is checked out.
    """
    revisions = choose(session.git_root, branches=branches, tags=tags, commits=commits)
    found = read(States(session), revisions, asked)
    if len(found) > 1 and session.git_root is not None:
        found = without_workspace(found, active_branch(session.git_root))
    warnings = [line for name, told in found.items() for line in troubles(name, told)]
    values = {
        name: {shown(path, session.root): one for path, one in plain_values(told).items()}
        for name, told in found.items()
    }
    return Told(found, values, warnings)


def compare(
    session: Session, asked: Asked, old: str, new: str, *, unchanged: bool = False
) -> Compared:
    """Compare two revisions; raises UsageError for what is none, MlxError.

    Before the first commit there is nothing to compare.
    """
    if session.git_root is None:
        raise UsageError("without Git there are no revisions", hint="see: dvc config core.no_scm")
    named = [one for one in (old, new) if one != WORKSPACE]
    if named and not has_commits(session.git_root):
        return Compared({}, ["nothing is committed yet: there is nothing to compare with"])
    folder = project_of(session.root, session.git_root)
    commits = dict(zip(named, resolve(session.git_root, named, folder), strict=True))
    revisions = [Revision(one, commits.get(one)) for one in dict.fromkeys((old, new))]
    found = read(States(session), revisions, asked)
    warnings = [line for name, told in found.items() for line in troubles(name, told)]
    before, after = plain_values(found.get(old)), plain_values(found.get(new))
    changes = difference(before, after, unchanged=unchanged)
    named_here = {shown(path, session.root): names for path, names in changes.items()}
    unread = {path for path in changes for side in (old, new) if is_unread(found.get(side), path)}
    return Compared(named_here, warnings, frozenset(shown(path, session.root) for path in unread))

"""What `mlx exp show` tells: commits, each with the experiments made from it."""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mlxkit.comparison.state import State, Trouble
from mlxkit.comparison.states import States
from mlxkit.core.files import discard
from mlxkit.experiments import queue
from mlxkit.experiments.baselines import Wanted, baselines, names
from mlxkit.experiments.document import Document, entry, experiment, in_order
from mlxkit.experiments.refs import Experiment, list_experiments
from mlxkit.pipeline.session import Session
from mlxkit.tools import git
from mlxkit.tools.dvc_show import show_by_dvc


class Options(NamedTuple):
    """What to leave out, and what to name; as DVC's options of these names."""

    hide_workspace: bool = False
    hide_queued: bool = False
    hide_failed: bool = False
    sha: bool = False
    param_deps: bool = False
    force: bool = False


def collect(
    session: Session, wanted: Wanted, options: Options, *, data: bool = True
) -> list[Document]:
    """Return DVC's document, without `data` no dependencies and outputs in it.

    DVC itself is asked where its queue holds something, or which parameters stages use. Raises
    UsageError, MlxError.
    """
    assert session.git_root is not None
    commits = baselines(session.git_root, wanted)
    if not commits:
        return []
    if options.param_deps or queue.in_use(session.root):
        return show_by_dvc(session.root, _arguments(wanted, options))
    return _collect(session, session.git_root, commits, options, data)


def _collect(
    session: Session, git_root: str, commits: Sequence[str], options: Options, data: bool
) -> list[Document]:
    chosen = set(commits)
    every = [one for one in list_experiments(git_root) if one.baseline in chosen]
    lines = _lines(git_root, every)
    if options.force:
        discard(os.path.join(session.root, ".mlx", "states.db"))
    known = States(session)
    asked = [*commits, *(commit for line in lines.values() for commit in line)]
    states: Mapping[str, State | Trouble] = known.at(list(dict.fromkeys(asked)))
    groups: dict[str, list[Document]] = {}
    for one in every:
        if lines[one]:  # else somebody's reference is to no commit
            shown = experiment(one, lines[one], states, data=data)
            groups.setdefault(one.baseline, []).append(shown)
    titles = {} if options.sha else names(git_root)
    found = [] if options.hide_workspace else [entry("workspace", known.workspace(), data=data)]
    for commit in commits:
        inner = in_order(groups.get(commit, []))
        found.append(entry(commit, states[commit], titles.get(commit), inner, data=data))
    return found


def _lines(git_root: str, every: Sequence[Experiment]) -> dict[Experiment, list[str]]:
    """Return the commits of each experiment, newest first; nearly all have just one."""
    if not every:
        return {}
    given = "".join(f"{one.commit}\n" for one in every).encode()
    told = git.run(git_root, "rev-list", "--no-walk=unsorted", "--parents", "--stdin", stdin=given)
    parents = {}
    for line in told.decode("ascii").splitlines():
        commit, *before = line.split()
        parents[commit] = before[:1]
    return {
        one: [one.commit]
        if parents.get(one.commit) == [one.baseline]
        else _walk(git_root, one)
        for one in every
    }  # fmt: skip


def _walk(git_root: str, one: Experiment) -> list[str]:
    told = git.run(git_root, "rev-list", "--first-parent", one.commit).decode("ascii").split()
    return told[: told.index(one.baseline)] if one.baseline in told[1:] else told


def _arguments(wanted: Wanted, options: Options) -> list[str]:
    flags = {
        "--all-branches": wanted.branches,
        "--all-tags": wanted.tags,
        "--all-commits": wanted.commits,
        "--hide-workspace": options.hide_workspace,
        "--hide-queued": options.hide_queued,
        "--hide-failed": options.hide_failed,
        "--sha": options.sha,
        "--param-deps": options.param_deps,
        "--force": options.force,
    }
    revs = [word for rev in wanted.revs for word in ("--rev", rev)]
    return [*revs, "--num", str(wanted.num), *(flag for flag, given in flags.items() if given)]

"""Experiments to and from others: references by Git's remote, data by DVC's.

Data goes first, references last: whoever sees an experiment can have its data.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from mlxkit.core.errors import ProjectError, RemoteError
from mlxkit.core.progress import Progress
from mlxkit.data.transfer.fetch import missing
from mlxkit.data.transfer.history import recorded_in
from mlxkit.data.transfer.route import Report, Request, fetch, push
from mlxkit.experiments.refs import Experiment, incoming, write_experiment
from mlxkit.pipeline.session import RunSession
from mlxkit.tools import git
from mlxkit.tools.git_remote import Remote
from mlxkit.tools.git_remote_refs import fetch_refs, push_refs


class Carried(NamedTuple):
    """What became of the experiments; of the `incomplete` some data could not be had.

    `diverged` are others than those of the same name on the other side; `refused` says why.
    """

    done: tuple[Experiment, ...] = ()
    same: tuple[Experiment, ...] = ()
    diverged: tuple[Experiment, ...] = ()
    incomplete: tuple[Experiment, ...] = ()
    refused: Mapping[Experiment, str] = {}
    data: Report = Report()


def push_experiments(
    session: RunSession,
    remote: Remote,
    chosen: Sequence[Experiment],
    request: Request | None,
    progress: Progress,
    *,
    force: bool,
) -> Carried:
    """Send experiments, with their data where there is a `request` for it.

    One whose data cannot all be sent is not sent. Raises RemoteError, ProjectError, UsageError.
    """
    if not chosen:
        return Carried()
    assert session.git_root is not None
    lines = {one: commits_of(session.git_root, one) for one in chosen}
    report = Report()
    incomplete: tuple[Experiment, ...] = ()
    if request is not None:
        report, incomplete = _push_data(session, lines, request, progress)
    ready = {one.ref: one for one in chosen if one not in incomplete}
    outcomes = push_refs(
        session.git_root, remote, {ref: one.commit for ref, one in ready.items()}, force=force
    )

    def of(kind: str) -> tuple[Experiment, ...]:
        return tuple(ready[ref] for ref, told in outcomes.items() if told.outcome == kind)

    refused = {ready[ref]: told.why for ref, told in outcomes.items() if told.outcome == "refused"}
    return Carried(of("sent"), of("same"), of("diverged"), incomplete, refused, report)


def pull_experiments(
    session: RunSession,
    remote: Remote,
    chosen: Sequence[Experiment],
    request: Request | None,
    progress: Progress,
    *,
    force: bool,
) -> Carried:
    """Bring a remote's experiments, with their data where there is a `request` for it.

    One whose data cannot all be had is not taken, and neither is one that would replace another
    without `force`. Raises RemoteError, ProjectError, UsageError; then nothing is taken.
    """
    if not chosen:
        return Carried()
    assert session.git_root is not None
    root = session.git_root
    ours = {one: git.commit_id(root, one.ref) for one in chosen}
    new = [one for one in chosen if ours[one] != one.commit]
    try:
        fetch_refs(root, remote, {one.ref: incoming(one.ref) for one in new})
        diverged = [one for one in new if not force and not _goes_on(root, ours[one], one.commit)]
        taken = [one for one in chosen if one not in diverged]
        report = Report()
        incomplete: tuple[Experiment, ...] = ()
        if request is not None:
            report, incomplete = _fetch_data(session, taken, request, progress)
        done = [one for one in new if one not in diverged and one not in incomplete]
        for one in done:
            write_experiment(root, one, previous=ours[one] or "", message="mlx: pulled")
    finally:
        _forget(root, new)
    same = tuple(one for one in chosen if one not in new)
    return Carried(tuple(done), same, tuple(diverged), incomplete, data=report)


def commits_of(git_root: str, one: Experiment) -> list[str]:
    """Return the commits of an experiment after its baseline: nearly always just its own."""
    told = git.run(git_root, "rev-list", "--first-parent", one.commit, f"^{one.baseline}")
    return told.decode("ascii").split() or [one.commit]


def _push_data(
    session: RunSession,
    lines: Mapping[Experiment, Sequence[str]],
    request: Request,
    progress: Progress,
) -> tuple[Report, tuple[Experiment, ...]]:
    """Send all data at once; only where some cannot be sent, ask for each experiment again."""
    every = tuple(commit for line in lines.values() for commit in line)
    with _or_without():
        report = push(session, [], request._replace(commits=every), progress)
    if not report.done.failed:
        return report, ()
    alone = request._replace(run_cache=False)
    incomplete = [
        one
        for one, line in lines.items()
        if push(session, [], alone._replace(commits=tuple(line)), progress).done.failed
    ]
    return report, tuple(incomplete)


def _fetch_data(
    session: RunSession, taken: Sequence[Experiment], request: Request, progress: Progress
) -> tuple[Report, tuple[Experiment, ...]]:
    assert session.git_root is not None
    lines = {one: commits_of(session.git_root, one) for one in taken}
    every = tuple(commit for line in lines.values() for commit in line)
    if not every:
        return Report(), ()
    with _or_without():
        report = fetch(session, [], request._replace(commits=every), progress)
    if not report.done.failed:
        return report, ()
    store = session.workspace.store

    def lacks(commits: Iterable[str]) -> bool:
        wanted = [one for one in recorded_in(session, commits).wanted if one.push]
        return bool(missing(store, wanted))

    return report, tuple(one for one, line in lines.items() if lacks(line))


@contextmanager
def _or_without() -> Iterator[None]:
    """Add to an error of DVC's remote that there is a way without it."""
    try:
        yield
    except (ProjectError, RemoteError) as error:
        error.hint = f"{error.hint or 'see: mlx remote list'}   or leave data out: --no-cache"
        raise


def _goes_on(git_root: str, ours: str | None, theirs: str) -> bool:
    """Tell whether nothing of ours is lost with theirs in its place."""
    if ours is None:
        return True
    try:
        git.run(git_root, "merge-base", "--is-ancestor", ours, theirs)
    except git.GitError:
        return False
    return True


def _forget(git_root: str, new: Iterable[Experiment]) -> None:
    lines = "".join(f"delete {incoming(one.ref)}\n" for one in new)
    if lines:
        given = lines.encode("utf-8", "surrogateescape")
        git.run(git_root, "update-ref", "--no-deref", "--stdin", stdin=given)

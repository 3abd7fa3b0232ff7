"""Cache <-> remotes: which outputs go where, what mlx does itself and what stays DVC's."""

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from mlxkit.core.progress import Progress
from mlxkit.data.tracked import Tracked
from mlxkit.data.transfer.fetch import fetch as fetch_missing
from mlxkit.data.transfer.fetch import missing
from mlxkit.data.transfer.items import REMOTE, Failure, Outcome, Wanted, wanted_of
from mlxkit.data.transfer.push import push as push_wanted
from mlxkit.data.transfer.remote import cache_dir_mode, core_remote, open_remote, section_of
from mlxkit.data.transfer.runs import fetch_runs, push_runs
from mlxkit.pipeline.session import RunSession


class Request(NamedTuple):
    """What the user asked for besides the outputs.

    `revisions` are DVC's names of other commits to look at: `all_branches`, `all_tags`,
    `all_commits`; `commits` are ids of others. `extra` are options that only DVC knows: then all
    of it is left to DVC.
    """

    remote: str | None = None
    jobs: int | None = None
    run_cache: bool = False
    targets: Sequence[str] = ()
    revisions: frozenset[str] = frozenset()
    extra: dict[str, Any] = {}  # noqa: RUF012 - never changed
    commits: Sequence[str] = ()


class Report(NamedTuple):
    """What became of a transfer; failures by the names that people know."""

    done: Outcome = Outcome()
    remotes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Changed(NamedTuple):
    """What DVC's own pull did to the working tree."""

    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


def push(
    session: RunSession, tracked: Sequence[Tracked], request: Request, progress: Progress
) -> Report:
    """Send what the outputs refer to; raises RemoteError, ProjectError, UsageError."""
    if request.extra:
        return _by_dvc(session, "push", list(request.targets) or None, request)
    ours, left = split(session, [one for one in tracked if one.out.push], request.remote)
    wanted, special, report = _with_history(session, wanted_of(ours), request)
    for name, group in _by_remote(session, wanted, request.remote):
        remote = open_remote(session, name, request.jobs)
        pushed = [one for one in group if one.push]
        done = push_wanted(session.workspace.store, pushed, remote, progress)
        report = _plus(report, done, remote.name)
    if request.run_cache:
        remote = open_remote(session, _default(session, request.remote), request.jobs)
        done, note = push_runs(_cache_folder(session), remote)
        report = _plus(report, done, remote.name, note)
    return _rest_by_dvc(session, "push", left, special, request, report)


def fetch(
    session: RunSession, tracked: Sequence[Tracked], request: Request, progress: Progress
) -> Report:
    """Bring what the outputs refer to into the cache; raises as `push` does, and DiskFull."""
    if request.extra:
        return _by_dvc(session, "fetch", list(request.targets) or None, request)
    store = session.workspace.store
    ours, left = split(session, tracked, request.remote)
    wanted, special, report = _with_history(session, wanted_of(ours), request)
    for name, group in _by_remote(session, wanted, request.remote):
        lacking = missing(store, group)
        if not lacking:
            continue  # then nobody needs a remote, not even one that is there
        remote = open_remote(session, name, request.jobs)
        done = fetch_missing(store, lacking, remote, cache_dir_mode(session), progress)
        report = _plus(report, _without_unpushed(done, group), remote.name)
    if request.run_cache:
        remote = open_remote(session, _default(session, request.remote), request.jobs)
        done, note = fetch_runs(_cache_folder(session), remote, cache_dir_mode(session))
        report = _plus(report, done, remote.name, note)
    return _rest_by_dvc(session, "fetch", left, special, request, report)


def split(
    session: RunSession, tracked: Sequence[Tracked], chosen: str | None
) -> tuple[list[Tracked], list[Tracked]]:
    """Return what mlx transfers, and what it leaves to DVC."""
    ours: list[Tracked] = []
    left: list[Tracked] = []
    for one in tracked:
        if chosen and one.remote and one.remote != chosen:
            continue  # as DVC: an output that has a remote of its own is in no other
        special = _keeps_versions(session, one.remote, chosen) or session.delegated(one.stage)
        (left if special else ours).append(one)
    return ours, left


def _keeps_versions(session: RunSession, own: str | None, chosen: str | None) -> bool:
    """Tell whether an output's remote keeps files as they are, in versions of a cloud's."""
    section = section_of(session, own or chosen or core_remote(session))
    return bool(section.get("version_aware") or section.get("worktree"))


def pull_by_dvc(
    session: RunSession, left: Sequence[Tracked], request: Request, *, force: bool, missing: bool
) -> tuple[Outcome, Changed]:
    """Let DVC fetch and check out what only it can."""
    from mlxkit.tools.dvc_remote import transfer_by_dvc

    options = {**_options(request), "force": force, "allow_missing": missing}
    done = transfer_by_dvc(session.root, session.repo_lock, "pull", _targets(left), options)
    changed = Changed(tuple(done.added), tuple(done.modified), tuple(done.deleted))
    return Outcome(done.files, failed=dict.fromkeys(done.failed, Failure("DVC failed"))), changed


def _with_history(
    session: RunSession, wanted: list[Wanted], request: Request
) -> tuple[list[Wanted], bool, Report]:
    """Add what other commits record; also tell whether only DVC can transfer some of that."""
    if not request.revisions and not request.commits:
        return wanted, False, Report()
    from mlxkit.data.transfer.history import recorded_elsewhere, recorded_in

    if request.commits:
        found = recorded_in(session, request.commits)
    else:
        found = recorded_elsewhere(
            session,
            branches="all_branches" in request.revisions,
            tags="all_tags" in request.revisions,
            commits="all_commits" in request.revisions,
        )
    ours = [one for one in found.wanted if not _keeps_versions(session, one.remote, request.remote)]
    special = found.special or len(ours) != len(found.wanted)
    return list(dict.fromkeys([*wanted, *ours])), special, Report(notes=found.notes)


def _by_remote(
    session: RunSession, wanted: Sequence[Wanted], chosen: str | None
) -> Iterator[tuple[str | None, list[Wanted]]]:
    groups: dict[str | None, list[Wanted]] = {}
    for one in wanted:
        if not (chosen and one.remote and one.remote != chosen):
            groups.setdefault(one.remote or _default(session, chosen), []).append(one)
    yield from groups.items()


def _without_unpushed(done: Outcome, group: Sequence[Wanted]) -> Outcome:
    """Drop failures of outputs that are never pushed: no remote should have them."""
    private = [one.name() for one in group if not one.push]
    failed = {
        name: failure
        for name, failure in done.failed.items()
        if not any(name == path or name.startswith(path + os.sep) for path in private)
    }
    return done._replace(failed=failed)


def _rest_by_dvc(
    session: RunSession,
    verb: str,
    left: Sequence[Tracked],
    special: bool,
    request: Request,
    report: Report,
) -> Report:
    """Let DVC do what only it can: imports, versions kept by a cloud, digests of DVC 2."""
    if special:  # among what other commits record: DVC looks through them all itself
        extra: dict[str, Any] = dict.fromkeys(request.revisions, True)
        if request.commits:
            extra = {"revs": list(request.commits), "workspace": False}
        return _both(report, _by_dvc(session, verb, None, request._replace(extra=extra)))
    if left:
        return _both(report, _by_dvc(session, verb, _targets(left), request))
    return report


def _by_dvc(session: RunSession, verb: str, targets: list[str] | None, request: Request) -> Report:
    from mlxkit.tools.dvc_remote import transfer_by_dvc

    options = {**_options(request), **request.extra}
    done = transfer_by_dvc(session.root, session.repo_lock, verb, targets, options)
    failed = {name: Failure("DVC could not transfer it", REMOTE) for name in done.failed}
    name = _default(session, request.remote)
    return Report(Outcome(done.files, failed=failed), (name,) if name else ())


def _options(request: Request) -> dict[str, Any]:
    return {"remote": request.remote, "jobs": request.jobs}


def _targets(left: Sequence[Tracked]) -> list[str]:
    here = os.getcwd()
    named = [
        one.stage.address(here)
        if one.within is None
        else os.path.relpath(os.path.join(one.path, one.within))
        for one in left
    ]
    return list(dict.fromkeys(named))


def _plus(report: Report, done: Outcome, name: str | None, note: str | None = None) -> Report:
    return Report(
        report.done.plus(done),
        tuple(dict.fromkeys((*report.remotes, *((name,) if name else ())))),
        (*report.notes, *((note,) if note else ())),
    )


def _both(one: Report, other: Report) -> Report:
    remotes = tuple(dict.fromkeys((*one.remotes, *other.remotes)))
    return Report(one.done.plus(other.done), remotes, (*one.notes, *other.notes))


def _default(session: RunSession, chosen: str | None) -> str | None:
    return chosen or core_remote(session)


def _cache_folder(session: RunSession) -> str:
    return os.path.dirname(os.path.dirname(session.workspace.store.root))

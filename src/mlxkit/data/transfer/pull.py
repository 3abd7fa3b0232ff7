"""Bringing data from a remote into the cache, and from there into the working tree."""

from collections.abc import Sequence

from mlxkit.core.progress import Progress
from mlxkit.data.checkout import Changes, check_out
from mlxkit.data.tracked import Tracked
from mlxkit.data.transfer.route import Report, Request, fetch, pull_by_dvc, split
from mlxkit.pipeline.session import RunSession


def pull(
    session: RunSession,
    tracked: Sequence[Tracked],
    request: Request,
    *,
    force: bool,
    allow_missing: bool,
    progress: Progress,
) -> tuple[Report, Changes]:
    """Fetch what is missing and check out all that can be; raises as `fetch` and `check_out` do.

    Changes of the user's stop it after the fetch, before any file is touched.
    """
    ours, left = split(session, tracked, request.remote)
    report = fetch(session, tracked if request.extra else ours, request, progress)
    everything = not request.targets
    changes = check_out(session, ours, everything=everything, force=force, progress=progress)
    if left:
        done, changed = pull_by_dvc(session, left, request, force=force, missing=allow_missing)
        report = report._replace(done=report.done.plus(done))
        changes = Changes(
            changes.added + changed.added,
            changes.modified + changed.modified,
            changes.deleted + changed.deleted,
            changes.failed,
        )
    return report, changes

"""`mlx push`: send data to a remote."""

import time

from mlxkit.cli import terminal
from mlxkit.cli.bar import bar
from mlxkit.cli.carrying import (
    NoRecords,
    OnlyRecords,
    carry,
    carry_alone,
    carrying_anyway,
    records_json,
    tell_records,
)
from mlxkit.cli.options import (
    Glob,
    Json,
    Quiet,
    Recursive,
    Targets,
    Verbose,
    Wait,
    WithDeps,
    new_app,
)
from mlxkit.cli.transfer import (
    AllBranches,
    AllCommits,
    AllTags,
    Jobs,
    RemoteName,
    RunCache,
    exit_code,
    request,
    tell,
)
from mlxkit.data.tracked import tracked
from mlxkit.data.transfer.route import push as push_data
from mlxkit.project import open_for_change

app = new_app()


@app.command()
def push(
    targets: Targets = None,
    remote: RemoteName = "",
    jobs: Jobs = 0,
    all_branches: AllBranches = False,
    all_tags: AllTags = False,
    all_commits: AllCommits = False,
    with_deps: WithDeps = False,
    recursive: Recursive = False,
    run_cache: RunCache = False,
    glob: Glob = False,
    no_records: NoRecords = False,
    only_records: OnlyRecords = False,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Send data from the cache to a remote; what is there already is not sent again.

    Example: mlx push data/images
    """
    if only_records:
        mixed = no_records or bool(targets)
        return carry_alone("push", mixed=mixed, as_json=as_json, quiet=quiet)
    revisions = {"all_branches": all_branches, "all_tags": all_tags, "all_commits": all_commits}
    chosen = {"with_deps": with_deps, "recursive": recursive, "glob": glob}
    asked = request(targets, remote, jobs, run_cache, revisions)
    began = time.monotonic()
    with (
        open_for_change(".", wait, terminal.note) as session,
        carrying_anyway("push", None if no_records else session.git_root, quiet=quiet or as_json),
        bar(quiet=quiet) as progress,
    ):
        if asked.extra:
            asked = asked._replace(extra={**asked.extra, **chosen})
            wanted = []
        else:
            wanted = tracked(session, targets or [], **chosen)
        report = push_data(session, wanted, asked, progress)
    carried = None if no_records else carry("push", session.git_root)
    if as_json:
        document = {"pushed": report.done.files, "failed": sorted(report.done.failed)}
        terminal.write_json({**document, **records_json(carried)})
    tell("push", report, time.monotonic() - began, quiet=quiet or as_json)
    tell_records("push", carried, quiet=quiet or as_json)
    return exit_code(report.done.failed)

"""`mlx pull`: bring data from a remote into the working tree."""

import time
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.bar import bar
from mlxkit.cli.carrying import NoRecords, carry, carrying_anyway, records_json, tell_records
from mlxkit.cli.checkout import changes_json, report_failed, show_changes
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
from mlxkit.core.errors import ExitCode
from mlxkit.data.tracked import tracked
from mlxkit.data.transfer.pull import pull as pull_data
from mlxkit.project import open_for_change

app = new_app()


@app.command()
def pull(
    targets: Targets = None,
    remote: RemoteName = "",
    jobs: Jobs = 0,
    all_branches: AllBranches = False,
    all_tags: AllTags = False,
    all_commits: AllCommits = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Destroy changes that are recorded nowhere.")
    ] = False,
    with_deps: WithDeps = False,
    recursive: Recursive = False,
    run_cache: RunCache = False,
    glob: Glob = False,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="What no remote has is no error.")
    ] = False,
    no_records: NoRecords = False,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Bring data from a remote into the cache and the working tree.

    Example: git pull && mlx pull
    """
    revisions = {"all_branches": all_branches, "all_tags": all_tags, "all_commits": all_commits}
    asked = request(targets, remote, jobs, run_cache, revisions)
    if asked.extra:
        chosen = {"with_deps": with_deps, "recursive": recursive}
        asked = asked._replace(extra={**asked.extra, **chosen})
    began = time.monotonic()
    with (
        open_for_change(".", wait, terminal.note) as session,
        carrying_anyway("fetch", None if no_records else session.git_root, quiet=quiet or as_json),
        bar(quiet=quiet) as progress,
    ):
        wanted = tracked(
            session, targets or [], with_deps=with_deps, recursive=recursive, glob=glob
        )
        report, changes = pull_data(
            session, wanted, asked, force=force, allow_missing=allow_missing, progress=progress
        )
    carried = None if no_records else carry("fetch", session.git_root)
    if as_json:
        document = {"fetched": report.done.files, **changes_json(changes)}
        document["failed"] = sorted({*changes.failed, *report.done.failed})
        terminal.write_json({**document, **records_json(carried)})
    failed = {
        name: failure
        for name, failure in report.done.failed.items()
        if not (allow_missing and failure.missing)
    }
    report = report._replace(done=report.done._replace(failed=failed))
    tell("pull", report, time.monotonic() - began, quiet=quiet or as_json)
    tell_records("fetch", carried, quiet=quiet or as_json)
    if any(changes[:3]) and not quiet and not as_json:
        show_changes(changes)
    if failed:
        return exit_code(failed)
    if changes.failed and not allow_missing:
        report_failed(changes, as_json)
        return ExitCode.FAILED
    return ExitCode.OK

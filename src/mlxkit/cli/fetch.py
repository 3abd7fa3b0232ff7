"""`mlx fetch`: bring data from a remote into the cache."""

import time
from typing import Annotated

import typer

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
from mlxkit.core.errors import UsageError
from mlxkit.data.tracked import tracked
from mlxkit.data.transfer.route import fetch as fetch_data
from mlxkit.project import open_for_change

app = new_app()


@app.command()
def fetch(
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
    max_size: Annotated[
        int, typer.Option("--max-size", metavar="BYTES", help="Only files below that size.")
    ] = 0,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="KIND", help="Only metrics, or only plots."),
    ] = None,
    no_records: NoRecords = False,
    only_records: OnlyRecords = False,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Bring data from a remote into the cache; the working tree stays as it is.

    Example: mlx fetch data/images
    """
    if only_records:
        mixed = no_records or bool(targets)
        return carry_alone("fetch", mixed=mixed, as_json=as_json, quiet=quiet)
    if not set(types or ()) <= {"metrics", "plots"}:
        raise UsageError("--type is metrics or plots")
    revisions = {"all_branches": all_branches, "all_tags": all_tags, "all_commits": all_commits}
    only_dvc = {"max_size": max_size, "types": types}
    asked = request(targets, remote, jobs, run_cache, revisions, only_dvc)
    began = time.monotonic()
    with (
        open_for_change(".", wait, terminal.note) as session,
        carrying_anyway("fetch", None if no_records else session.git_root, quiet=quiet or as_json),
        bar(quiet=quiet) as progress,
    ):
        if asked.extra:
            chosen = {"with_deps": with_deps, "recursive": recursive}
            asked = asked._replace(extra={**asked.extra, **chosen})
            wanted = []
        else:
            wanted = tracked(
                session, targets or [], with_deps=with_deps, recursive=recursive, glob=glob
            )
        report = fetch_data(session, wanted, asked, progress)
    carried = None if no_records else carry("fetch", session.git_root)
    if as_json:
        document = {"fetched": report.done.files, "failed": sorted(report.done.failed)}
        terminal.write_json({**document, **records_json(carried)})
    tell("fetch", report, time.monotonic() - began, quiet=quiet or as_json)
    tell_records("fetch", carried, quiet=quiet or as_json)
    return exit_code(report.done.failed)

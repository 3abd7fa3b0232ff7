"""`mlx exp push`: experiments, their data and records, to others."""

import time
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.bar import bar
from mlxkit.cli.carrying import NoRecords, records_json, tell_records
from mlxkit.cli.exp_carry import Cache, DvcRemote, carry_records, code_of, result_json, tell
from mlxkit.cli.exp_options import AllCommits, Experiments, Num, Remote, Revs
from mlxkit.cli.options import Json, Quiet, Verbose, Wait, new_app
from mlxkit.cli.transfer import Jobs, RunCache
from mlxkit.data.transfer.route import Request
from mlxkit.project import open_for_change

app = new_app()


@app.command()
def push(
    git_remote: Remote,
    experiment: Experiments = None,
    rev: Revs = None,
    num: Num = 1,
    all_commits: AllCommits = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Replace others of the same names there.")
    ] = False,
    cache: Cache = True,
    remote: DvcRemote = "",
    jobs: Jobs = 0,
    run_cache: RunCache = False,
    no_records: NoRecords = False,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Send experiments to a Git remote and their data to DVC's; the data first.

    Example: mlx exp push origin lime-otter
    """
    from mlxkit.experiments.baselines import Wanted, chosen
    from mlxkit.experiments.carry import push_experiments
    from mlxkit.tools.git import require_root
    from mlxkit.tools.git_remote import find_remote

    root = require_root(".")
    there = find_remote(root, git_remote)
    found = chosen(root, experiment or [], Wanted(tuple(rev or ()), num, commits=all_commits))
    request = Request(remote or None, jobs or None, run_cache) if cache else None
    began = time.monotonic()
    with open_for_change(".", wait, terminal.note) as session, bar(quiet=quiet) as progress:
        carried = push_experiments(session, there, found, request, progress, force=force)
    records = None if no_records or not found else carry_records("push", root, there.name)
    if as_json:
        terminal.write_json({**result_json("push", carried), **records_json(records)})
    seconds = time.monotonic() - began
    tell("push", carried, there.name, seconds, quiet=quiet or as_json)
    tell_records("push", records, quiet=quiet or as_json)
    return code_of(carried)

"""`mlx status`: what is not up to date, and why."""

import os
import time
from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.describe import reason_json, reasons_text
from mlxkit.cli.handover import give_to_dvc
from mlxkit.cli.options import Json, Quiet, Targets, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.core.errors import ExitCode
from mlxkit.pipeline.status import FRESH, RUNNING, StageStatus, Status, find_status
from mlxkit.pipeline.targets import find_stages, order_stages

app = new_app()


@app.command()
def status(
    targets: Targets = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 3 when something is not up to date.")
    ] = False,
    with_deps: Annotated[
        bool, typer.Option("--with-deps", "-d", help="The targets and all that they need.")
    ] = False,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-R", help="All stages below the folders named.")
    ] = False,
    no_updates: Annotated[
        bool, typer.Option("--no-updates", help="Do not look for updates of imports.")
    ] = False,
    cloud: Annotated[
        bool, typer.Option("--cloud", "-c", help="Compare with a remote (from DVC).")
    ] = False,
    remote: Annotated[
        str, typer.Option("--remote", "-r", metavar="NAME", help="With that one (from DVC).")
    ] = "",
    all_branches: Annotated[
        bool, typer.Option("--all-branches", "-a", help="Of every branch (from DVC).")
    ] = False,
    all_tags: Annotated[
        bool, typer.Option("--all-tags", "-T", help="Of every tag (from DVC).")
    ] = False,
    all_commits: Annotated[
        bool, typer.Option("--all-commits", "-A", help="Of every commit (from DVC).")
    ] = False,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", metavar="N", help="Requests at once (from DVC).")
    ] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Show which stages and data are not up to date, and why; also while a run is going on.

    Example: mlx status --check
    """
    if cloud or remote or all_branches or all_tags or all_commits:
        flags = [
            ("--cloud", cloud),
            ("--all-branches", all_branches),
            ("--all-tags", all_tags),
            ("--all-commits", all_commits),
            ("--with-deps", with_deps),
            ("--recursive", recursive),
            ("--json", as_json),
            ("--quiet", quiet),
        ]
        given = [flag for flag, wanted in flags if wanted]
        given += ["--remote", remote] if remote else []
        given += ["--jobs", str(jobs)] if jobs else []
        return give_to_dvc(["status", *given, *(targets or [])])
    with reading() as session:
        chosen = find_stages(session.declared, targets or [], recursive=recursive)
        # With what they need: a stage is stale after one before it is.
        found = find_status(session, order_stages(session.graph, chosen, everything=not targets))
        if targets and not with_deps:
            found = found.of(chosen)
    if as_json:
        terminal.write_json(_document(found))
    elif not quiet:
        _show(found, verbose)
    return ExitCode.CHECK_FAILED if check and not found.clean else ExitCode.OK


def _document(found: Status) -> dict[str, Any]:
    return {
        "clean": found.clean,
        "stages": [
            {
                "stage": one.stage.address(os.getcwd()),
                "state": one.state,
                "reasons": [reason_json(reason) for reason in one.reasons],
            }
            for one in found.stages
        ],
        "data": [{"path": os.path.relpath(one.path), "state": one.state} for one in found.data],
    }


def _show(found: Status, verbose: bool) -> None:
    shown = [one for one in found.stages if verbose or one.state != FRESH]
    width = max((len(one.stage.address(os.getcwd())) for one in shown), default=0)
    for one in shown:
        terminal.write(_stage_line(one, width))
    data_width = max((len(os.path.relpath(one.path)) for one in found.data), default=0)
    for data in found.data:
        state = terminal.styled(f"{data.state:<8}", "yellow")
        terminal.write(f"{state} {os.path.relpath(data.path):<{data_width}}".rstrip())
    if found.clean:
        terminal.write(f"up to date: {_counts(found)}")
        return
    stale = sum(one.state != FRESH for one in found.stages)
    stages = f"{stale} of {terminal.counted(len(found.stages), 'stage')} not up to date"
    counts = [stages] if found.stages else []
    counts += [f"{terminal.counted(len(found.data), 'tracked path')} changed"] if found.data else []
    terminal.write(", ".join(counts))
    if _lacks_data(found):
        terminal.note("hint: what is missing is brought by: mlx pull")


def _lacks_data(found: Status) -> bool:
    """Return whether something that is on record is not here, as in a fresh clone."""
    reasons = (reason for one in found.stages for reason in one.reasons)
    return any(one.kind == "out-missing" for one in reasons) or any(
        one.state in ("deleted", "missing-in-cache") for one in found.data
    )


def _counts(found: Status) -> str:
    """Return `3 stages`, `2 tracked paths`, or both."""
    sources = sum(len(one.outs) for one in found.sources)
    stages = terminal.counted(len(found.stages), "stage")
    if not sources:
        return stages
    paths = terminal.counted(sources, "tracked path")
    return f"{stages}, {paths}" if found.stages else paths


def _stage_line(one: StageStatus, width: int) -> str:
    state = terminal.styled(f"{one.state:<8}", terminal.OUTCOME_STYLES[one.state])
    text = reasons_text(one.reasons)
    if one.state == RUNNING and one.since is not None:
        text = f"for {terminal.duration(max(0.0, time.time() - one.since))}; {text}".rstrip("; ")
    return f"{state} {one.stage.address(os.getcwd()):<{width}}  {text}".rstrip()

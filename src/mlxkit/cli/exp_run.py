"""`mlx exp run`: make experiments, each in a place of its own."""

import contextlib
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.exp_run_end import outcome_document, summary
from mlxkit.cli.exp_run_make import Maker, best_of, choose_view, read_metrics
from mlxkit.cli.exp_run_show import labels
from mlxkit.cli.options import Json, Quiet, Targets, Verbose, Wait, new_app
from mlxkit.cli.run_options import (
    AllowMissing,
    AllPipelines,
    BelowFolders,
    Downstream,
    ForceDownstream,
    KeepGoing,
    Pipeline,
    Pull,
    SingleItem,
    flag,
)
from mlxkit.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from mlxkit.experiments.run import Work

app = new_app()


@app.command()
def run(
    targets: Targets = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set-param",
            "-S",
            metavar="[FILE:]KEY=VALUE",
            help="Change a parameter; KEY=1,2 and KEY=range(1,5) are several experiments.",
        ),
    ] = None,
    sweeps: Annotated[
        list[str] | None,
        typer.Option(
            "--sweep",
            metavar="KEY=VALUES;...",
            help="An experiment for each combination: 'a=1,2,5;b=3..8;c=0.1..0.5..0.1'. "
            "May be repeated.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="The most experiments allowed. [1000]"),
    ] = None,
    search: Annotated[
        int | None,
        typer.Option(
            "--search",
            min=1,
            metavar="N",
            help="Choose N experiments by results instead, each from those before it; --sweep says "
            "where: 'a=x,y;b=1..8;c=0.1..0.9;d=0.0001..0.1 log'.",
        ),
    ] = None,
    metric: Annotated[
        str,
        typer.Option("--metric", metavar="[FILE:]NAME", help="The metric that --search optimizes."),
    ] = "",
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", min=0, help="The seed of --search. [0]")
    ] = None,
    name: Annotated[
        str,
        typer.Option("--name", "-n", metavar="NAME", help="Its name; several get -1, -2 appended."),
    ] = "",
    message: Annotated[
        str, typer.Option("--message", "-m", "-M", metavar="TEXT", help="The commit's message.")
    ] = "",
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", metavar="N", min=1, help="Experiments at once.")
    ] = 1,
    going_on: Annotated[
        bool, flag("--continue", text="Go on with the last sweep: run what has no result.")
    ] = False,
    apply: Annotated[bool, flag("--apply", text="Bring the result into the working tree.")] = False,
    copies: Annotated[
        list[str] | None,
        typer.Option("--copy-paths", "-C", metavar="PATH", help="Also copy this untracked path."),
    ] = None,
    force: Annotated[
        bool, flag("--force", "-f", text="Run what is up to date; replace experiments.")
    ] = False,
    single_item: SingleItem = False,
    pipeline: Pipeline = False,
    all_pipelines: AllPipelines = False,
    recursive: BelowFolders = False,
    downstream: Downstream = False,
    force_downstream: ForceDownstream = False,
    pull: Pull = False,
    allow_missing: AllowMissing = False,
    dry: Annotated[bool, flag("--dry", text="Only list the experiments.")] = False,
    keep_going: KeepGoing = False,
    ignore_errors: Annotated[
        bool, flag("--ignore-errors", text="Make the experiment even if stages fail.")
    ] = False,
    no_hydra: Annotated[
        bool, flag("--no-hydra", text="Do not compose params.yaml with Hydra.")
    ] = False,
    temp: Annotated[bool, typer.Option("--temp", hidden=True)] = False,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Run experiments, each in its own worktree; your files stay as they are.

    --sweep makes one of each combination; -j runs several at once; stages that they share run
    once. --queue and --run-all are DVC's queue, and handed to dvc.

    Example: mlx exp run --sweep 'train.lr=0.01,0.1;train.depth=3..8' -j 2
    """
    from mlxkit.experiments.plan import Asked

    how = {
        "force": force,
        "single_item": single_item,
        "pipeline": pipeline,
        "all_pipelines": all_pipelines,
        "recursive": recursive,
        "downstream": downstream,
        "force_downstream": force_downstream,
        "pull": pull,
        "allow_missing": allow_missing,
        "keep_going": keep_going,
        "ignore_errors": ignore_errors,
    }
    _refuse_wrong(keep_going and ignore_errors, going_on, (targets, settings, sweeps, name, search))
    if search is None and (metric or seed is not None):
        raise UsageError("--metric and --seed are for --search", hint="give --search N, too")
    asked = Asked(
        targets=targets or (),
        settings=settings or (),
        sweeps=sweeps or (),
        limit=limit,
        name=name,
        message=message,
        copies=copies or (),
        how={flag: True for flag, given in how.items() if given},
        hydra=not no_hydra,
    )
    from mlxkit.project import open_project

    session = open_project(say=terminal.note)
    maker = Maker(session, jobs, wait)
    view = choose_view(session, as_json=as_json, quiet=quiet, verbose=verbose)
    if search is not None:
        if apply or dry:
            raise UsageError(
                f"--{'apply' if apply else 'dry'} is not for --search",
                hint="which experiments it makes is only known when their results are",
            )
        from mlxkit.cli.exp_search import Goal, run_search

        goal = Goal(search, metric, seed or 0)
        with maker.at_work():
            return run_search(
                session, asked, goal, maker, view, jobs=jobs, as_json=as_json, quiet=quiet
            )
    if dry:
        return _list(maker.prepared(asked, dry=True)[0], as_json)
    began = time.monotonic()
    with maker.at_work():
        work, files = maker.going_on() if going_on else maker.prepared(asked)
        if apply and len(work.plan.runs) != 1:
            count = len(work.plan.runs)
            raise UsageError(
                f"--apply brings one result into the working tree, and these are {count}",
                hint="choose one afterwards: mlx exp show, mlx exp apply NAME",
            )
        batch = maker.made(work, files, view, going_on=going_on)
        metrics = read_metrics(session, batch)
    ok = not batch.stopped and all(one.outcome in ("done", "skipped") for _, one in batch.outcomes)
    if as_json:
        terminal.write_json(outcome_document(work.plan, batch, metrics, ok))
    else:
        best = None if quiet else best_of(session, batch, metrics)
        summary(work.plan, batch, best, time.monotonic() - began, quiet=quiet)
    if batch.stopped:
        return ExitCode.INTERRUPTED
    if ok and apply:
        return _apply(work.plan.runs[0].name, wait, silent=as_json or quiet)
    return ExitCode.OK if ok else ExitCode.FAILED


def _refuse_wrong(both: bool, going_on: bool, given: Sequence[Any]) -> None:
    if both:
        raise UsageError("give --keep-going or --ignore-errors, not both")
    if going_on and any(given):
        raise UsageError(
            "--continue goes on with the last sweep as it was",
            hint="leave the rest away, or give the same sweep again without --continue",
        )


def _list(work: "Work", as_json: bool) -> int:
    runs = work.plan.runs
    if as_json:
        listed = [{"name": one.name, "params": one.values} for one in runs]
        terminal.write_json({"experiments": listed, "baseline": work.plan.baseline})
        return ExitCode.OK
    width = max(len(one.name) for one in runs)
    for one, label in zip(runs, labels(runs), strict=True):
        terminal.write(f"{one.name:<{width}}  {label}".rstrip())
    terminal.note(f"{terminal.counted(len(runs), 'experiment')}; nothing was run")
    return ExitCode.OK


def _apply(name: str, wait: float, *, silent: bool) -> int:
    from mlxkit.cli.exp_apply import apply

    with contextlib.redirect_stdout(sys.stderr) if silent else contextlib.nullcontext():
        return int(apply(name, wait=wait, quiet=silent))

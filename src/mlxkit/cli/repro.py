"""`mlx repro`: bring the pipeline up to date."""

import os
import shlex
import sys
import time
from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.describe import result_json
from mlxkit.cli.options import Glob, Json, Quiet, Targets, Verbose, Wait, new_app
from mlxkit.cli.progress import Mute, Plain, Silent
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
from mlxkit.core.errors import ExitCode, ProjectError, UsageError
from mlxkit.pipeline.execute import Executor, Interrupted
from mlxkit.pipeline.machine import find_machine
from mlxkit.pipeline.options import Options
from mlxkit.pipeline.result import FAILED, RAN, RESTORED, Result
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.targets import find_stages, order_stages
from mlxkit.project import open_for_run
from mlxkit.tools import git

app = new_app()
_MOST_NAMED = 8
"""So many outputs that Git keeps are named one by one."""


@app.command()
def repro(
    targets: Targets = None,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs", "-j", metavar="N", min=0, help="Stages at once; 0: as many as cores."
        ),
    ] = 0,
    force: Annotated[bool, flag("--force", "-f", text="Run also what is up to date.")] = False,
    interactive: Annotated[
        bool, flag("--interactive", "-i", text="Ask before each stage.")
    ] = False,
    single_item: SingleItem = False,
    pipeline: Pipeline = False,
    all_pipelines: AllPipelines = False,
    recursive: BelowFolders = False,
    downstream: Downstream = False,
    force_downstream: ForceDownstream = False,
    pull: Pull = False,
    allow_missing: AllowMissing = False,
    dry: Annotated[bool, flag("--dry", text="Only show what would run, and why.")] = False,
    glob: Glob = False,
    keep_going: KeepGoing = False,
    ignore_errors: Annotated[
        bool, flag("--ignore-errors", text="Go on even with what needs a failed stage.")
    ] = False,
    no_run_cache: Annotated[
        bool, flag("--no-run-cache", text="Run even if the result is known.")
    ] = False,
    no_commit: Annotated[
        bool, flag("--no-commit", text="Do not put outputs into the cache.")
    ] = False,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Bring the pipeline up to date: run what changed, several stages at once, and say why.

    Example: mlx repro -j 4 evaluate
    """
    if keep_going and ignore_errors:
        raise UsageError("give --keep-going or --ignore-errors, not both")
    options = Options(
        force=force,
        force_downstream=force_downstream,
        interactive=interactive,
        pull=pull,
        allow_missing=allow_missing,
        dry=dry,
        on_error="keep-going" if keep_going else "ignore" if ignore_errors else "fail",
        run_cache=not no_run_cache,
        no_commit=no_commit,
        wait=wait,
    )
    observer = _observer(as_json, quiet, verbose, interactive)
    began = time.monotonic()
    interrupted = False
    try:
        with open_for_run(".", wait, observer.say) as session:
            observer.opened(session)
            chosen = _choose(session, targets or [], recursive, glob, all_pipelines)
            graph = session.graph.active()
            order = order_stages(
                graph,
                chosen,
                single=single_item and not (pipeline or all_pipelines),
                pipeline=pipeline,
                everything=all_pipelines,
                downstream=downstream,
            )
            if pull and not no_run_cache and not dry:
                problem = session.delegate.pull_run_cache()
                if problem:
                    observer.say(f"the run-cache was not fetched: {problem}")
            machine = find_machine(1 if interactive else jobs)
            try:
                results = Executor(session, order, graph, machine, options, observer).run()
            except Interrupted as stop:
                results, interrupted = stop.results, True
    finally:
        observer.close()
    ok = not interrupted and (ignore_errors or not any(one.outcome == FAILED for one in results))
    if as_json:
        terminal.write_json({"ok": ok, "stages": [result_json(one) for one in results]})
    elif not quiet:
        _summary(session, results, time.monotonic() - began, dry)
        if interrupted:
            terminal.note("interrupted: what had finished is committed")
    if interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.OK if ok else ExitCode.FAILED


def _observer(as_json: bool, quiet: bool, verbose: bool, interactive: bool) -> Silent:
    if as_json:
        return Mute()
    if quiet:
        return Silent()
    if terminal.is_live(sys.stderr) and not verbose and not interactive:
        from mlxkit.cli.progress_live import LiveView

        return LiveView()
    return Plain(verbose=verbose)


def _choose(
    session: RunSession, targets: list[str], recursive: bool, glob: bool, all_pipelines: bool
) -> list[Any]:
    if all_pipelines:
        return []
    if not targets:
        here = os.path.abspath("dvc.yaml")
        if here not in session.declared.files:
            raise ProjectError(
                "there is no dvc.yaml in this folder",
                hint="name a stage or file, or take the whole project: mlx repro -P",
            )
        targets = ["dvc.yaml"]
    return find_stages(session.declared, targets, recursive=recursive, glob=glob)


def _summary(session: RunSession, results: list[Result], seconds: float, dry: bool) -> None:
    made = [one for one in results if one.outcome in (RAN, RESTORED)]
    if not made and all(one.outcome == "unchanged" for one in results):
        count = terminal.counted(len(results), "stage")
        terminal.write(f"nothing to do: {count} up to date ({terminal.duration(seconds)})")
    else:
        _counts(results, seconds, dry)
    if session.touched and not session.autostage:
        files = sorted(os.path.relpath(path) for path in session.touched | _for_git(session, made))
        terminal.note(f"to record the result: git add {shlex.join(files)}")


def _for_git(session: RunSession, made: list[Result]) -> set[str]:
    """Return the outputs that Git keeps and that were made; the folders of many."""
    outs = [out.abs for one in made for out in one.stage.outs if not out.cache]
    outs = [path for path in outs if os.path.lexists(path)]
    if session.git_root is not None:
        ignored = git.ignored(session.git_root, outs)
        outs = [path for path in outs if path not in ignored]
    if len(outs) <= _MOST_NAMED:
        return set(outs)
    return {path if (folder := os.path.dirname(path)) == session.root else folder for path in outs}


def _counts(results: list[Result], seconds: float, dry: bool) -> None:
    counts = [
        f"{sum(one.outcome == outcome for one in results)} {outcome}"
        for outcome in terminal.OUTCOME_STYLES
        if any(one.outcome == outcome for one in results)
    ]
    terminal.write(
        f"{'would be: ' if dry else ''}{', '.join(counts)} in {terminal.duration(seconds)}"
    )

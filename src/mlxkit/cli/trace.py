"""`mlx trace`: what a stage really reads and writes, beside what it declares."""

import os
from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.findings import finding_json, names_of, show_findings, sum_up
from mlxkit.cli.options import Json, Quiet, Targets, Verbose, Wait, new_app
from mlxkit.core.errors import ExitCode, UsageError
from mlxkit.pipeline.session import RunSession
from mlxkit.pipeline.spec import Stage
from mlxkit.pipeline.targets import find_stages, order_stages
from mlxkit.project import open_for_run
from mlxkit.trace.facts import Traced, conclude
from mlxkit.trace.fix import Fixed, add_deps
from mlxkit.trace.observe import observe

app = new_app()


@app.command()
def trace(
    stages: Targets = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Add the inputs that it finds to deps in dvc.yaml.")
    ] = False,
    no_strace: Annotated[
        bool, typer.Option("--no-strace", help="Watch Python from inside only.")
    ] = False,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Run stages under observation, and list what they do but do not declare.

    Found are inputs and outputs that are not declared, deps that nothing reads, environment
    variables that the repository's Python code asks for, and connections to other machines. All
    processes are watched with strace; where there is none, Python is, from inside. Each stage runs
    in the working tree; its outputs, the lock file and Git's files are then as they were.

    Example: mlx trace train --fix
    """
    say = (lambda _: None) if quiet else terminal.note
    with open_for_run(".", wait, say) as session:
        chosen = _choose(session, stages or [])
        traced: list[Traced] = []
        for stage in chosen:
            if not as_json:
                say(f"tracing {stage.address(os.getcwd())}")
            observed = observe(session, stage, use_strace=not no_strace, wait=wait)
            traced.append(conclude(session, stage, observed, os.environ))
            if not as_json and not quiet:
                _show(traced[-1], verbose)
    found = [finding for one in traced for finding in one.findings]
    fixed = add_deps(found, {one.key: one for one in chosen}) if fix else Fixed()
    names = names_of(chosen)
    failed = any(one.code != 0 for one in traced)
    open_ones = [one for one in found if one not in fixed.added]
    if as_json:
        terminal.write_json(_document(traced, fixed, names, not open_ones and not failed))
    elif not quiet:
        sum_up(fixed, open_ones, len(traced), failed=failed)
    if failed:
        return ExitCode.FAILED
    return ExitCode.CHECK_FAILED if open_ones else ExitCode.OK


def _choose(session: RunSession, targets: list[str]) -> list[Stage]:
    found = find_stages(session.declared, targets or ["dvc.yaml"])
    with_command = [stage for stage in found if not stage.is_source]
    if not with_command:
        shown = ", ".join(targets) or "dvc.yaml"
        raise UsageError(
            f"there is no command to trace in {shown}", hint="name a stage of a dvc.yaml"
        )
    order = {stage.key: stage for stage in with_command}
    everything = order_stages(session.graph, with_command)
    return [stage for stage in everything if stage.key in order]


def _document(
    traced: list[Traced], fixed: Fixed, names: dict[str, str], ok: bool
) -> dict[str, Any]:
    return {
        "ok": ok,
        "findings": [
            finding_json(finding, names, fixed.added) for one in traced for finding in one.findings
        ],
        "stages": [
            {
                "stage": names[one.stage.key],
                "exit_code": one.code,
                "seconds": round(one.seconds, 3),
                "how": one.how,
                "local_network": list(one.local),
                "notes": list(one.notes),
            }
            for one in traced
        ],
        "by_hand": list(fixed.by_hand),
    }


def _show(one: Traced, verbose: bool) -> None:
    name = terminal.styled(one.stage.address(os.getcwd()), "bold")
    took = terminal.duration(one.seconds)
    how = "strace" if one.how == "strace" else "Python only"
    state = "nothing found" if not one.findings else terminal.counted(len(one.findings), "finding")
    if one.code != 0:
        state = f"failed with exit code {one.code}, {state} until then"
    terminal.write(f"{name}: {state} ({how}, {took})")
    show_findings(one.findings, ())
    if one.local:
        terminal.write(f"  on this machine: connected to {', '.join(one.local)}")
    for note in one.notes:
        terminal.note(f"  note: {note}")
    if one.code != 0 or verbose:
        for line in one.output:
            terminal.note(f"  | {line}")

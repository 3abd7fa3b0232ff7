"""`mlx env`: the environments that runs were made in, and what differs between two of them."""

import os
import re
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import typer

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, complete_stages, new_app
from mlxkit.cli.terminal import printable
from mlxkit.core.errors import MlxError, UsageError
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Stage, commands
from mlxkit.pipeline.targets import find_stages
from mlxkit.project import open_project
from mlxkit.runs import ledger
from mlxkit.runs.choose import last_run, project_records
from mlxkit.runs.differences import Difference, differences, read
from mlxkit.runs.environment import fingerprint, read_content
from mlxkit.runs.record import SHOWN, Record

app = new_app()

NOW = "."
_PLAIN = "python"
"""The command whose environment is meant where no stage says more."""
_ID = re.compile(r"[0-9a-f]{4,64}")


class Chosen(NamedTuple):
    """An environment that the user named; `run` and `stage` where it is that of one."""

    run: str | None
    stage: str | None
    digest: str
    content: Mapping[str, Any]


@app.callback()
def env() -> None:
    """Show the environments that stages ran in; compare two of them.

    Example: mlx env diff train .
    """


@app.command(short_help="Show the environment of a run, or of now.")
def show(
    run: Annotated[
        str,
        typer.Argument(
            metavar="[RUN]",
            help="A run's id, a stage for its last run, or . for now.",
            autocompletion=complete_stages,
        ),
    ] = NOW,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Show the Python, platform and packages of a run, or of now.

    Example: mlx env show train
    """
    session = open_project(say=terminal.note)
    found = _now(session, None) if run == NOW else _of_run(session, run)
    if as_json:
        terminal.write_json({**_document(found), **found.content})
    elif not quiet:
        _show(found)
    return 0


@app.command(short_help="Compare the environments of two runs.")
def diff(
    one: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run's id, a stage for its last run, or . for now.",
            autocompletion=complete_stages,
        ),
    ],
    other: Annotated[
        str,
        typer.Argument(metavar="[RUN]", help="The same.", autocompletion=complete_stages),
    ] = NOW,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Show which packages and versions differ between the environments of two runs.

    Example: mlx env diff train .
    """
    session = open_project(say=terminal.note)
    named = {text: _of_run(session, text) for text in (one, other) if text != NOW}
    stage = next((each.stage for each in named.values()), None)
    for text in (one, other):
        if text == NOW:
            named[text] = _now(session, stage)
    before, now = named[one], named[other]
    found = differences(before.content, now.content)
    if as_json:
        terminal.write_json(
            {
                "same": not found,
                "before": _document(before),
                "after": _document(now),
                "differences": [_difference(each) for each in found],
            }
        )
    elif not quiet:
        _show_differences(found, before, now)
    return 0


def _of_run(session: Session, asked: str) -> Chosen:
    if session.git_root is None:
        raise MlxError("without Git no runs are on record", hint="give . for the one of now")
    name, record = _run(session, session.git_root, asked)
    if record.env is None:
        raise MlxError(
            f"run {name[:SHOWN]} of '{record.stage}' has no environment on record",
            hint="it started no Python that mlx could find",
        )
    content = ledger.environment(session.git_root, record.env)
    content = content or read_content(_cache(session), record.env)
    if content is None:
        raise MlxError(
            f"the environment {record.env[:SHOWN]} is not here", hint="bring it with: mlx fetch"
        )
    return Chosen(name, record.stage, record.env, read(content))


def _run(session: Session, git_root: str, asked: str) -> tuple[str, Record]:
    """Return the last run of the stage so named (it may be gone since), or the run of that id."""
    stage = _stage(session, asked)
    address = stage.address(session.root) if stage is not None else asked
    found = last_run(project_records(session.root, git_root), address)
    if found is not None:
        return found
    if _ID.fullmatch(asked.lower()):
        return ledger.find(git_root, asked)
    if stage is not None:
        raise MlxError(
            f"no run of '{asked}' is on record", hint="run it with mlx repro, or: mlx fetch"
        )
    raise UsageError(
        f"there is no stage or run '{asked}'",
        hint="give a stage, the first digits of a run's id, or . for now",
    )


def _now(session: Session, address: str | None) -> Chosen:
    """Return the environment that a stage would run in now; of none, that of `python`."""
    stage = next(
        (one for one in session.declared.stages if one.address(session.root) == address), None
    )
    cmd, wdir = ([_PLAIN], os.getcwd()) if stage is None else (commands(stage), stage.wdir)
    found = fingerprint(cmd, wdir, os.environ, _cache(session))
    if found is None:
        what = "there is no python on the PATH" if stage is None else "its command finds no Python"
        raise MlxError(f"no environment to show: {what}", hint="activate one, then repeat")
    name = None if stage is None else stage.address(session.root)
    return Chosen(None, name, found.digest, read(found.content))


def _stage(session: Session, asked: str) -> Stage | None:
    try:
        found = find_stages(session.declared, [asked])
    except UsageError:
        return None
    return found[0] if len(found) == 1 else None


def _cache(session: Session) -> str:
    return os.path.join(session.root, ".mlx", "cache")


def _document(one: Chosen) -> dict[str, Any]:
    return {"run": one.run, "stage": one.stage, "env": one.digest}


def _difference(one: Difference) -> dict[str, Any]:
    change = "added" if one.before is None else "removed" if one.now is None else "changed"
    told = {"kind": one.kind, "name": one.name, "change": change}
    return {**told, "before": one.before, "after": one.now}


def _title(one: Chosen) -> str:
    if one.run is None:
        return f"now, for {one.stage}" if one.stage else "now"
    return f"run {one.run[:SHOWN]} of {printable(one.stage or '')}"


def _show(found: Chosen) -> None:
    terminal.write(terminal.styled(f"{_title(found)}: environment {found.digest[:SHOWN]}", "bold"))
    everything = differences({}, found.content)
    width = max((len(one.name) for one in everything), default=0)
    for one in everything:
        if one.now is not None:
            terminal.write(printable(f"{one.name:<{width}}  {one.now}"))
    count = sum(one.kind == "distribution" for one in everything)
    terminal.write(terminal.counted(count, "distribution"))


def _show_differences(found: list[Difference], before: Chosen, now: Chosen) -> None:
    if not found:
        terminal.write(f"the same environment: {before.digest[:SHOWN]}")
        return
    terminal.write(terminal.styled(f"{_title(before)} -> {_title(now)}", "bold"))
    width = max(len(one.name) for one in found)
    for one in found:
        style = "green" if one.before is None else "red" if one.now is None else "yellow"
        told = (
            f"+ {one.now}" if one.before is None
            else f"- {one.before}" if one.now is None
            else f"{one.before} -> {one.now}"
        )  # fmt: skip
        name = printable(f"{one.name:<{width}}")
        terminal.write(f"{name}  {terminal.styled(printable(told), style)}")
    changes = [_difference(one)["change"] for one in found]
    counts = [(name, changes.count(name)) for name in ("added", "removed", "changed")]
    terminal.write(", ".join(f"{count} {name}" for name, count in counts if count))

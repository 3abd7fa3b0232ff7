"""`mlx gate`: the rules of mlx.yaml applied to what is recorded, each verdict with its reason."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.bar import bar
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.core.errors import ExitCode, MlxError, UsageError
from mlxkit.core.progress import Progress

if TYPE_CHECKING:
    from mlxkit.gates.judge import Judged
    from mlxkit.gates.override import Override
    from mlxkit.pipeline.session import Session

app = new_app()


def complete_gates(incomplete: str) -> list[str]:
    """Complete the names of gates."""
    from mlxkit.project import find_root
    from mlxkit.settings.load import section

    try:
        return [name for name in section(find_root("."), "gates") if name.startswith(incomplete)]
    except MlxError:
        return []


@app.command()
def gate(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="Gates; all by default.", autocompletion=complete_gates
        ),
    ] = None,
    rev: Annotated[
        str | None, typer.Option(metavar="REV", help="Judge a commit; the working tree by default.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(metavar="REV", help="Compare with REV, whatever the rules name.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the figures and files behind each verdict.")
    ] = False,
    override: Annotated[
        bool, typer.Option("--override", help="Let failed gates through; kept with your name.")
    ] = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for --override.")] = "",
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Who, for --override; Git's user by default.")
    ] = "",
    accept_overrides: Annotated[
        bool,
        typer.Option(
            "--accept-overrides", help="Exit with 0 where all failures have an override on record."
        ),
    ] = False,
    report: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Write the report of mlx report, with these verdicts, to FILE."
        ),
    ] = "",
    no_record: Annotated[
        bool, typer.Option("--no-record", help="Do not keep the verdicts.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Judge metrics, data and models by the gates of mlx.yaml; exits with 3 when one fails.

    Verdicts are kept with the commit, and go with mlx push.

    Example: mlx gate test --base main
    """
    _check_options(override=override, no_record=no_record, reason=reason, name=name)
    with reading() as session:
        with bar(quiet=quiet or as_json) as progress:
            judged = _judged(session, names or [], rev, base, report, progress)
        kept = None if no_record else _kept(session, judged, must=override and not judged.passed)
        if override and not judged.passed:
            _let_through(session, judged, kept or {}, name, reason)
        through = _overrides(session, judged)
        if report:
            _write_report(session, judged, rev, base, report)
    if as_json:
        terminal.write_json(_document(judged, through, kept or {}))
    elif not quiet:
        from mlxkit.cli.gate_show import show

        show(judged.outcomes, through, explain=explain)
        if override and judged.passed:
            terminal.note("nothing was overridden: all gates passed")
        if kept is None and not no_record and judged.untied:
            terminal.note(f"not kept: {judged.untied}")
    failed = {one.gate for one in judged.outcomes if not one.passed}
    good = {one.gate for one in through if not one.doubt}
    accepted = (override or accept_overrides) and failed <= good
    return ExitCode.OK if accepted or not failed else ExitCode.CHECK_FAILED


def _check_options(*, override: bool, no_record: bool, reason: str, name: str) -> None:
    if override and no_record:
        raise UsageError("--override and --no-record: an override must be on record")
    if not override and (reason or name):
        raise UsageError("--reason and --name go with --override")
    if override:
        from mlxkit.gates.override import check

        check(reason, name or "Git's user")


def _kept(session: "Session", judged: "Judged", *, must: bool) -> dict[str, str] | None:
    """Keep the verdicts; that it fails is a warning, unless they must be kept."""
    from mlxkit.gates.judge import keep

    if judged.commit is None and not must:
        return None
    try:
        return keep(session, judged)
    except (MlxError, OSError) as error:
        if must:
            raise
        word = terminal.styled("warning:", "yellow", sys.stderr)
        why = error.strerror if isinstance(error, OSError) else error
        terminal.note(f"{word} the verdicts were not kept: {why}")
        return None


def _let_through(
    session: "Session", judged: "Judged", kept: dict[str, str], name: str, reason: str
) -> None:
    from mlxkit.audit.log import identity
    from mlxkit.gates.judge import let_through

    assert session.git_root is not None  # or the verdicts could not be kept
    who = name or identity(session.git_root).name
    let_through(session, judged, kept, who, reason)


def _judged(
    session: "Session",
    names: list[str],
    rev: str | None,
    base: str | None,
    report: str,
    progress: Progress,
) -> "Judged":
    """Judge each gate once; where one cannot be judged, the report is written to say so."""
    from mlxkit.gates.judge import judge, judge_each

    if not report:
        return judge(session, names, rev, base, progress)
    judged = judge_each(session, names, rev, base, progress)
    for error in judged.unjudged.values():
        _write_report(session, judged, rev, base, report)
        raise error
    return judged


def _write_report(
    session: "Session", judged: "Judged", rev: str | None, base: str | None, path: str
) -> None:
    from mlxkit.cli.review import write_report
    from mlxkit.reports.collect import collect
    from mlxkit.reports.markdown import render

    found = collect(session, rev=rev, base=base, judged=judged)
    write_report(path, render(found))


def _overrides(session: "Session", judged: "Judged") -> "list[Override]":
    from mlxkit.gates.judge import overrides

    return overrides(session, judged)


def _document(judged: "Judged", through: "list[Override]", kept: dict[str, str]) -> dict[str, Any]:
    from mlxkit.gates.verdict import document

    return {
        "passed": judged.passed,
        "gates": [
            document(outcome.gate, one) for outcome in judged.outcomes for one in outcome.verdicts
        ],
        "overrides": [one._asdict() for one in through],
        "commit": judged.commit,
        "records": kept,
    }

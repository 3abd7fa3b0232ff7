"""`mlx gate`: the rules of mlx.yaml applied to what is recorded, each verdict with its reason."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.core.errors import ExitCode, MlxError, UsageError

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
        str, typer.Option(metavar="REV", help="Judge a commit; the working tree by default.")
    ] = "",
    base: Annotated[
        str, typer.Option(metavar="REV", help="Compare with REV, whatever the rules name.")
    ] = "",
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
    no_record: Annotated[
        bool, typer.Option("--no-record", help="Do not keep the verdicts.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Judge what is recorded by the gates of mlx.yaml; exits with 3 when one fails.

    Verdicts are kept with the commit, and go with mlx push.

    Example: mlx gate test --base main
    """
    from mlxkit.gates.judge import judge

    _check_options(override=override, no_record=no_record, reason=reason, name=name)
    with reading() as session:
        judged = judge(session, names or [], rev or None, base or None)
        kept = None if no_record else _kept(session, judged, must=override and not judged.passed)
        if override and not judged.passed:
            _let_through(session, judged, kept or {}, name, reason)
        through = _overrides(session, judged)
    if as_json:
        terminal.write_json(_document(judged, through, kept or {}))
    elif not quiet:
        from mlxkit.cli.gate_show import show

        show(judged.outcomes, through, explain=explain)
        if override and judged.passed:
            terminal.note("nothing was overridden: all gates passed")
        if kept is None and not no_record and judged.untied:
            terminal.note(f"not kept: {judged.untied}")
    return ExitCode.OK if judged.passed or override else ExitCode.CHECK_FAILED


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
    except MlxError as error:
        if must:
            raise
        word = terminal.styled("warning:", "yellow", sys.stderr)
        terminal.note(f"{word} the verdicts were not kept: {error}")
        return None


def _let_through(
    session: "Session", judged: "Judged", kept: dict[str, str], name: str, reason: str
) -> None:
    from mlxkit.audit.log import identity
    from mlxkit.gates.judge import let_through

    assert session.git_root is not None  # or the verdicts could not be kept
    who = name or identity(session.git_root).name
    let_through(session, judged, kept, who, reason)


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

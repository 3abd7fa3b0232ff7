"""`mlx verify`: does what is recorded fit together, and does it come out again?"""

from contextlib import suppress
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from mlxkit.cli import terminal
from mlxkit.cli.bar import bar
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.cli.verify_show import show_verdict, verdict_document
from mlxkit.core.errors import ExitCode, MlxError, UsageError
from mlxkit.pipeline.session import Session
from mlxkit.pipeline.spec import Stage
from mlxkit.proof.notes import any_noted
from mlxkit.proof.verify import Verdict, verify_revision, verify_work_tree
from mlxkit.proof.view import Problem, View

app = new_app()

_DEFAULT = "="
"""What stands for the default remote: no name of a remote."""


class NameMayLack(TyperCommand):
    """Lets `--remote` stand alone, before another option or at the end."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give a lone `--remote` the value that means the default one."""
        given = []
        for number, one in enumerate(args):
            given.append(one)
            after = args[number + 1 : number + 2]
            if one in ("--remote", "-r") and (not after or after[0].startswith("-")):
                given.append(_DEFAULT)
        return super().parse_args(ctx, given)


@app.command(cls=NameMayLack)
def verify(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[REV] [TARGETS]...",
            help="A revision, else the working tree; with --rebuild, also stages of it.",
        ),
    ] = None,
    remote: Annotated[
        str,
        typer.Option(
            "--remote",
            "-r",
            metavar="[NAME]",
            help="Also check that the remote has every object.",
        ),
    ] = "",
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Run all stages again elsewhere, and compare.")
    ] = False,
    jobs: Annotated[
        int,
        typer.Option("--jobs", "-j", metavar="N", min=0, help="With --rebuild: stages at once."),
    ] = 0,
    attestation: Annotated[
        str,
        typer.Option(
            "--attestation",
            metavar="FILE|WHAT",
            help="Check an attestation instead: a file, or those on record of WHAT.",
        ),
    ] = "",
    allowed: Annotated[
        str,
        typer.Option(
            "--allowed", metavar="FILE", help="With --attestation: who may sign, as Git has it."
        ),
    ] = "",
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Check that dvc.yaml, dvc.lock, parameters, run records and Git agree; needs no data.

    With --rebuild, run the stages of a revision again in a clean place, and compare the results.
    With --attestation, check signatures and what they are about. Exits with 3 when something does
    not fit.

    Example: mlx verify --remote
    """
    rev, *targets = what or [""]
    if attestation:
        from mlxkit.cli.attest_show import verify_attestation

        if targets or rebuild or remote:
            raise UsageError("--attestation FILE takes one WHAT, and no --rebuild or --remote")
        return verify_attestation(
            attestation, rev, allowed, as_json=as_json, quiet=quiet, verbose=verbose
        )
    if allowed:
        raise UsageError("--allowed goes with --attestation")
    _sweep()
    if rebuild:
        from mlxkit.cli.verify_rebuild import rebuild_revision

        name = "" if remote == _DEFAULT else remote
        return rebuild_revision(rev, targets, name, jobs, as_json, quiet, verbose)
    if targets:
        raise UsageError(
            f"'{targets[0]}': without --rebuild there is only one argument, a revision",
            hint="see: mlx verify --help",
        )
    with reading() as session:
        verdict = _verdict(session, rev, remote, quiet or as_json)
    if as_json:
        terminal.write_json(verdict_document(verdict))
    elif not (quiet and verdict.ok):
        show_verdict(verdict, verbose=verbose)
    return ExitCode.OK if verdict.ok else ExitCode.CHECK_FAILED


def _sweep() -> None:
    """Remove what a rebuild that was killed has left."""
    if not any_noted("."):
        return
    from mlxkit.proof.place import sweep

    with suppress(MlxError, OSError):
        swept = sweep(".")
        if swept:
            many = terminal.counted(swept, "rebuild")
            terminal.note(f"removed what {many} had left, killed before the end")


def _verdict(session: Session, rev: str, remote: str, silent: bool) -> Verdict:
    if not remote:
        return verify_revision(session, rev) if rev else verify_work_tree(session)
    from mlxkit.proof.stored import unstored

    name = "" if remote == _DEFAULT else remote
    with bar(quiet=silent) as progress:

        def more(stages: list[Stage], view: View) -> list[Problem]:
            return unstored(session, stages, view, name, progress)

        return verify_revision(session, rev, more) if rev else verify_work_tree(session, more)

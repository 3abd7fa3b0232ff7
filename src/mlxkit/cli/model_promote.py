"""`mlx model promote`: a version into a stage, through its deployment gate."""

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.model_options import (
    GitRemote,
    Push,
    complete_stages,
    complete_versions,
    target,
    tell_pushed,
)
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.cli.terminal import counted, printable
from mlxkit.core.errors import ExitCode

if TYPE_CHECKING:
    from mlxkit.registry.gate import Gated
    from mlxkit.registry.promote import Done

app = new_app()


@app.command()
def promote(
    what: Annotated[
        str,
        typer.Argument(
            metavar="NAME@VERSION",
            help="A version; also NAME@latest, or NAME#STAGE: the one in another stage.",
            autocompletion=complete_versions,
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="STAGE", help="The stage, such as prod.", autocompletion=complete_stages
        ),
    ],
    override: Annotated[
        bool, typer.Option("--override", help="Let a failed gate through; kept with your name.")
    ] = False,
    no_gate: Annotated[
        bool, typer.Option("--no-gate", help="For a commit without a gate; kept with your name.")
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why, for --override and --no-gate.")
    ] = "",
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Who; Git's user by default.")
    ] = "",
    message: Annotated[
        str, typer.Option("--message", "-m", metavar="TEXT", help="Text for the tag.")
    ] = "",
    push: Push = False,
    git_remote: GitRemote = "",
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Put a version into a stage, such as prod, if the gate `deployment` passes at its commit.

    Exits with 3, and writes no tag, when the gate fails.

    Example: mlx model promote census@v1.3.0 --to prod
    """
    from mlxkit.registry.promote import Request, promote

    asked = Request(
        what, to, reason, name, override, no_gate, message, target(push, git_remote)
    )  # fmt: skip
    with reading() as session:
        done = promote(session, asked)
    assert done.gated is not None
    if as_json:
        terminal.write_json(_document(done))
    elif not quiet:
        _show(done, done.gated, verbose=verbose)
        if done.tag is not None:
            tell_pushed(session.git_root, done.tag, done.pushed)
    return ExitCode.OK if done.tag is not None else ExitCode.CHECK_FAILED


def _show(done: "Done", gated: "Gated", *, verbose: bool) -> None:
    if gated.judged is not None and (verbose or not gated.passed):
        from mlxkit.cli.gate_show import show

        show(gated.judged.outcomes, [], explain=False)
    if done.tag is None:
        terminal.write(
            f"{done.model}@{done.version} was not promoted to {printable(done.stage)}: "
            "the deployment gate failed"
        )
        _hint(done, gated)
        return
    if gated.judged is None:
        said = "no gate was asked"
    elif gated.overridden:
        said = "the deployment gate failed and was let through"
    else:
        said = f"deployment gate passed ({counted(gated.rules, 'rule')})"
    before = f", before {done.before}" if done.before else ""
    terminal.write(f"{terminal.styled(done.tag, 'bold')} -> {done.version}{before}  {said}")


def _hint(done: "Done", gated: "Gated") -> None:
    """Say how a version that was refused may yet go on, as commands."""
    what = shlex.quote(f"{done.model}@{done.version}")
    outcomes = gated.judged.outcomes if gated.judged is not None else ()
    failed = {each.rule for one in outcomes for each in one.verdicts if not each.passes}
    if "approval" in failed:
        terminal.note(f"hint: who may approve it: mlx approve deployment --rev {what}")
    terminal.note(
        f"hint: to let it through: mlx model promote {what} --to {shlex.quote(done.stage)} "
        "--override --reason TEXT"
    )


def _document(done: "Done") -> dict[str, Any]:
    from mlxkit.gates.verdict import document

    gated = done.gated
    assert gated is not None
    outcomes = gated.judged.outcomes if gated.judged is not None else ()
    return {
        "model": done.model, "version": done.version, "stage": done.stage, "commit": done.commit,
        "before": done.before, "tag": done.tag, "promoted": done.tag is not None,
        "gate": gated.told(), "pushed": done.pushed,
        "gates": [document(one.gate, each) for one in outcomes for each in one.verdicts],
    }  # fmt: skip

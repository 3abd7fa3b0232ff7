"""The part of `mlx gc` that stays DVC's: to look into a remote."""

import sys

import typer

from mlxkit.cli import terminal
from mlxkit.cli.gc_audit import note_dvc
from mlxkit.cli.handover import give_to_dvc
from mlxkit.core.errors import ExitCode, MlxError, UsageError
from mlxkit.data.gc.scope import Scope
from mlxkit.data.pins import read_pins


def collect_by_dvc(
    root: str, scope: Scope, given: list[str], refusal: MlxError | None, *, yes: bool, dry: bool
) -> int:
    """Show what `dvc gc` would delete; do it with `yes`, or when a user at a terminal agrees."""
    if not scope.narrow:
        raise UsageError(
            "say what to keep in the remote", hint="for example every commit: mlx gc --cloud -A"
        )
    arguments = ["gc", *_flags(scope), *given]
    if yes and not dry:
        _refuse(root, refusal)
        return _delete(root, arguments)
    code = give_to_dvc([*arguments, "--dry"])
    if code or dry:
        return code
    if sys.stdin.isatty() and sys.stderr.isatty():
        _refuse(root, refusal)
        if typer.confirm("Delete this for good, in the remote, too?", err=True):
            return _delete(root, arguments)
    terminal.note("nothing was deleted; to do it, say: --yes")
    return 0


def _delete(root: str, arguments: list[str]) -> int:
    code = give_to_dvc([*arguments, "--force"])
    noted = note_dvc(root, arguments, code)
    return code if code or noted else ExitCode.FAILED


def _refuse(root: str, refusal: MlxError | None) -> None:
    if refusal is not None:
        raise refusal
    pins = read_pins(root)
    if pins:
        raise MlxError(
            f"dvc, which does this part, knows nothing of your {len(pins)} pins",
            hint="take them out first: mlx pin --remove   (without --cloud they are kept)",
        )


def _flags(scope: Scope) -> list[str]:
    flags = [
        ("--workspace", scope.workspace),
        ("--all-branches", scope.branches),
        ("--all-tags", scope.tags),
        ("--all-commits", scope.commits),
        ("--all-experiments", scope.experiments),
    ]
    given = [flag for flag, is_set in flags if is_set]
    given += ["--rev", scope.revision] if scope.revision else []
    given += ["--num", str(scope.number)] if scope.number != 1 else []
    return given + (["--date", scope.since] if scope.since else [])

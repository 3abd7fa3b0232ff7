"""What `mlx exp push` and `mlx exp pull` share: options, and what they say."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mlxkit.cli import terminal
from mlxkit.cli.carrying import carry
from mlxkit.cli.terminal import printable
from mlxkit.cli.transfer import exit_code, show_failed, summary
from mlxkit.core.errors import ExitCode
from mlxkit.experiments.carry import Carried
from mlxkit.experiments.refs import Experiment

if TYPE_CHECKING:
    from mlxkit.runs.carry import Carried as RunsCarried

_SHOWN = 10
Verb = Literal["push", "pull"]

Cache = Annotated[
    bool,
    typer.Option("--cache/--no-cache", help="With the data, by DVC's remote; or without."),
]
DvcRemote = Annotated[
    str, typer.Option("--remote", "-r", metavar="NAME", help="DVC's remote for the data.")
]


def result_json(verb: Verb, carried: Carried) -> dict[str, Any]:
    """Return the document of what was carried."""
    names = {
        kind: [one.name for one in getattr(carried, kind)]
        for kind in ("same", "diverged", "incomplete")
    }
    failed = sorted(carried.data.done.failed)
    return {
        "pushed" if verb == "push" else "pulled": [one.name for one in carried.done],
        "up_to_date": names["same"],
        "diverged": names["diverged"],
        "incomplete": names["incomplete"],
        "refused": {one.name: why for one, why in carried.refused.items()},
        "files": carried.data.done.files,
        "failed": failed,
    }


def tell(verb: Verb, carried: Carried, remote: str, seconds: float, *, quiet: bool) -> None:
    """Say what became of the experiments, and of their data."""
    for text in carried.data.notes:
        terminal.note(text)
    done = "pushed to" if verb == "push" else "pulled from"
    if not quiet:
        for named, group in ((done, carried.done), ("the same on", carried.same)):
            if group:
                terminal.write(f"{_counted(group)} {named} '{printable(remote)}': {_names(group)}")
        if not any(carried[:4]) and not carried.refused:
            terminal.write("no experiments to " + verb)
        if carried.data.done.files:
            terminal.write(summary("push" if verb == "push" else "fetch", carried.data, seconds))
    _tell_left(verb, carried, remote)
    show_failed("push" if verb == "push" else "fetch", carried.data.done.failed)


def code_of(carried: Carried) -> ExitCode:
    """Return the exit code: whether all was carried."""
    if carried.data.done.failed and carried.incomplete:
        return exit_code(carried.data.done.failed)
    if carried.refused:
        return ExitCode.REMOTE
    return ExitCode.FAILED if carried.diverged or carried.incomplete else ExitCode.OK


def _tell_left(verb: Verb, carried: Carried, remote: str) -> None:
    word = terminal.styled("error:", "red", sys.stderr)
    hint = terminal.styled("hint:", "cyan", sys.stderr)
    if carried.diverged:
        there = f"on '{printable(remote)}'" if verb == "push" else "here"
        terminal.note(f"{word} there are others of these names {there}: {_names(carried.diverged)}")
        terminal.note(f"{hint} replace them: --force; or give yours other names: mlx exp rename")
    for one, why in carried.refused.items():
        named = printable(one.name)
        terminal.note(f"{word} '{printable(remote)}' refused {named}: {printable(why)}")
    if carried.incomplete:
        what = "pushed" if verb == "push" else "pulled"
        terminal.note(f"{word} not {what}, for some of their data is missing: "
                      f"{_names(carried.incomplete)}")  # fmt: skip
        terminal.note(f"{hint} without data: --no-cache")


def carry_records(
    verb: Literal["push", "fetch"], git_root: str, remote: str
) -> "RunsCarried | None":
    """Push or fetch run records, attestations and the audit log, if that is Git's usual remote."""
    from mlxkit.tools.git_remote import choose_remote

    usual = choose_remote(git_root)
    if usual is not None and usual.name == remote:
        return carry(verb, git_root)
    where = f"'{printable(usual.name)}'" if usual else "a remote 'origin'"
    terminal.note(f"run records and the audit log go to and from {where} only: mlx {verb}")
    return None


def _counted(group: Sequence[Experiment]) -> str:
    return terminal.counted(len(group), "experiment")


def _names(group: Sequence[Experiment]) -> str:
    shown = ", ".join(printable(one.name) for one in group[:_SHOWN])
    return shown + (f", and {len(group) - _SHOWN} more" if len(group) > _SHOWN else "")

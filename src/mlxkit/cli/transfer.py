"""What `mlx push`, `fetch` and `pull` share: options, the summary, what failed."""

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.core.errors import ExitCode
from mlxkit.data.transfer.items import LOCAL, Failure
from mlxkit.data.transfer.route import Report, Request

_SHOWN = 10

RemoteName = Annotated[
    str,
    typer.Option(
        "--remote", "-r", metavar="NAME", help="The remote to use, instead of the default one."
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs", "-j", metavar="N", min=0, help="Requests to a server at once; 0: 4 per core."
    ),
]
AllBranches = Annotated[bool, typer.Option("--all-branches", "-a", help="Data of every branch.")]
AllTags = Annotated[bool, typer.Option("--all-tags", "-T", help="Data of every tag.")]
AllCommits = Annotated[bool, typer.Option("--all-commits", "-A", help="Data of every commit.")]
RunCache = Annotated[
    bool,
    typer.Option("--run-cache/--no-run-cache", help="Also the run-cache: results of earlier runs."),
]


def request(
    targets: list[str] | None,
    remote: str,
    jobs: int,
    run_cache: bool,
    revisions: Mapping[str, bool],
    only_dvc: Mapping[str, Any] | None = None,
) -> Request:
    """Put together what the user asked for.

    Options that only DVC has make the whole transfer DVC's, and so do targets in other commits:
    what is there now need not have been there.
    """
    asked = frozenset(name for name, wanted in revisions.items() if wanted)
    extra = {name: value for name, value in (only_dvc or {}).items() if value}
    if extra or (asked and targets):
        extra |= {**dict.fromkeys(asked, True), "run_cache": run_cache}
    return Request(remote or None, jobs or None, run_cache, tuple(targets or ()), asked, extra)


def summary(verb: str, report: Report, seconds: float) -> str:
    """Return the line for people: `pushed 1,204 files, 310 MB, to 'origin' in 3.2 s`."""
    there = " and ".join(f"'{name}'" for name in report.remotes)
    if not report.done.files:
        if verb == "push":
            return f"nothing to push: {there or 'the remote'} has everything"
        return "nothing to fetch: the cache has everything"
    done, preposition = ("pushed", "to") if verb == "push" else ("fetched", "from")
    count = report.done.files
    size = f", {terminal.size(report.done.size)}" if report.done.size else ""
    files = f"{count:,} file{'s' if count != 1 else ''}"
    where = f", {preposition} {there}" if there else ""
    return f"{done} {files}{size}{where} in {terminal.duration(seconds)}"


def tell(verb: str, report: Report, seconds: float, *, quiet: bool) -> None:
    """Show what was transferred, and what was not."""
    for text in report.notes:
        terminal.note(text)
    if not quiet and (report.done.files or not report.done.failed):
        terminal.write(summary(verb, report, seconds))
    show_failed(verb, report.done.failed)


def show_failed(verb: str, failed: Mapping[str, Failure]) -> None:
    """Name what could not be transferred, why, and what to do."""
    if not failed:
        return
    count = f"{len(failed):,} file{'s' if len(failed) != 1 else ''}"
    word = terminal.styled("error:", "red", sys.stderr)
    terminal.note(f"{word} {count} could not be {'pushed' if verb == 'push' else 'fetched'}:")
    for name in sorted(failed)[:_SHOWN]:
        terminal.note(f"  {name}: {failed[name].why}")
    if len(failed) > _SHOWN:
        terminal.note(f"  ... and {len(failed) - _SHOWN:,} more")
    hint = terminal.styled("hint:", "cyan", sys.stderr)
    terminal.note(f"{hint} {_advice(verb, failed)}")


def exit_code(failed: Mapping[str, Failure]) -> ExitCode:
    """Return the code for what failed: whether the remote's side is to blame, or only ours."""
    if not failed:
        return ExitCode.OK
    ours = all(failure.side == LOCAL for failure in failed.values())
    return ExitCode.FAILED if ours else ExitCode.REMOTE


def _advice(verb: str, failed: Mapping[str, Failure]) -> str:
    if verb == "push" and exit_code(failed) == ExitCode.FAILED:
        return "fetch it from where it is, or run again what makes it; everything else was pushed"
    again = f"repeat it with: mlx {verb}   (what arrived is not transferred again)"
    return again if verb == "push" else f"was all of it pushed? {again}"

"""`mlx gc`: delete from the cache what nothing needs any more."""

import re
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.bar import bar
from mlxkit.cli.gc_audit import note_collected
from mlxkit.cli.gc_projects import Request, opened, refusal
from mlxkit.cli.gc_remote import collect_by_dvc
from mlxkit.cli.gc_show import Show, agreed, finish, how, show_plan
from mlxkit.cli.options import Json, Quiet, Verbose, Wait, new_app
from mlxkit.core.errors import ExitCode, UsageError
from mlxkit.data.gc.collect import Plan, Wanted, carry_out, limited, make_plan
from mlxkit.data.gc.scope import Scope
from mlxkit.experiments.atwork import needed, nobody_making
from mlxkit.experiments.leftovers import forget_empty, leftovers
from mlxkit.project import find_root

app = new_app()

GRACE = "14d"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


@app.command()
def gc(
    more: Annotated[
        list[str] | None, typer.Argument(metavar="[PROJECTS]...", help="More projects for -p.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="The same; DVC's name for it.")
    ] = False,
    dry: Annotated[bool, typer.Option("--dry", help="Only show what would be deleted.")] = False,
    older_than: Annotated[
        str,
        typer.Option(
            metavar="AGE",
            help=f"Keep what is younger, like 12h or 0d; {GRACE} where no commits are chosen.",
        ),
    ] = "",
    run_cache: Annotated[
        bool, typer.Option("--run-cache/--no-run-cache", help="Keep what past runs made.")
    ] = True,
    workspace: Annotated[
        bool, typer.Option("--workspace", "-w", help="Keep only what the working tree needs.")
    ] = False,
    all_branches: Annotated[
        bool, typer.Option("--all-branches", "-a", help="... and the tips of all branches.")
    ] = False,
    all_tags: Annotated[bool, typer.Option("--all-tags", "-T", help="... and all tags.")] = False,
    all_commits: Annotated[
        bool, typer.Option("--all-commits", "-A", help="... and all commits.")
    ] = False,
    all_experiments: Annotated[
        bool, typer.Option("--all-experiments", help="... and experiments.")
    ] = False,
    rev: Annotated[str, typer.Option(metavar="REV", help="... and this commit.")] = "",
    num: Annotated[
        int, typer.Option("--num", "-n", metavar="N", help="With the N-1 before, for --rev and -a.")
    ] = 0,
    date: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="... and commits since that day.")
    ] = "",
    projects: Annotated[
        list[str] | None,
        typer.Option("--projects", "-p", metavar="PATH", help="Another project on this cache."),
    ] = None,
    this_project_only: Annotated[
        bool, typer.Option("--this-project-only", help="No other project uses this shared cache.")
    ] = False,
    ignore_missing: Annotated[
        bool, typer.Option("--ignore-missing", help="Do not mind folders whose list is missing.")
    ] = False,
    shallow: Annotated[
        bool, typer.Option("--shallow", help="Do not mind commits that this clone lacks.")
    ] = False,
    cloud: Annotated[
        bool, typer.Option("--cloud", "-c", help="In a remote, too (from DVC).")
    ] = False,
    not_in_remote: Annotated[
        bool, typer.Option("--not-in-remote", help="Keep what a remote lacks (from DVC).")
    ] = False,
    remote: Annotated[
        str, typer.Option("--remote", "-r", metavar="NAME", help="In that one (from DVC).")
    ] = "",
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", metavar="N", help="Requests at once (from DVC).")
    ] = 0,
    skip_failed: Annotated[
        bool, typer.Option("--skip-failed", help="Pass over unreadable commits (from DVC).")
    ] = False,
    wait: Wait = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Delete data from the cache that nothing needs: show what and why, then ask.

    Everything is kept that the working tree, any commit of any branch, tag, stash, reflog,
    experiment or worktree, a past run, an unfinished sweep or a pin refers to, and whatever is
    younger than two weeks. While experiments run, it waits (--wait).
    The deletion is an event of the audit log (mlx audit).

    Example: mlx gc --older-than 30d --yes
    """
    scope = Scope(
        workspace, all_branches, all_tags, all_commits, all_experiments, rev, num or 1, date
    )
    _check(scope, num, bool(projects), bool(more))
    if remote and not (cloud or not_in_remote):
        raise UsageError("--remote needs --cloud or --not-in-remote", hint="see: mlx gc --help")
    age = _seconds(older_than or ("0d" if scope.narrow else GRACE))
    request = Request(
        Wanted(scope, age, run_cache, ignore_missing),
        (*(projects or []), *(more or [])),
        this_project_only,
        shallow,
        wait,
    )
    yes = yes or force
    if cloud or not_in_remote:
        with opened(request) as sessions:
            no = refusal(sessions[0], request)
        flags = [("--cloud", cloud), ("--not-in-remote", not_in_remote), ("--quiet", quiet)]
        flags += [("--skip-failed", skip_failed)]
        extra = ["--remote", remote] if remote else []
        extra += ["--jobs", str(jobs)] if jobs else []
        extra += ["--projects", *request.projects] if request.projects else []
        if as_json or older_than:
            raise UsageError("--cloud and --not-in-remote take no --json and no --older-than")
        given = [flag for flag, is_set in flags if is_set] + extra
        root = find_root(".")
        with nobody_making(root, wait, terminal.note):
            return collect_by_dvc(root, scope, given, no, yes=yes, dry=dry)
    return _collect(request, yes=yes and not dry, dry=dry, show=Show(as_json, quiet, verbose))


def _collect(request: Request, *, yes: bool, dry: bool, show: Show) -> int:
    plan: Plan | None = None
    if not yes:
        with opened(request) as sessions:
            plan = make_plan(sessions[0], sessions[1:], request.wanted, needed, leftovers)
            no = refusal(sessions[0], request)
        show_plan(plan, show)
        if dry or not plan.remove or no or not agreed(plan, show):
            finish(plan, None, show)
            if plan.remove and not show.quiet and not show.as_json:
                terminal.note(how(no))
            return 0
    with opened(request, to_change=True) as sessions:
        no = refusal(sessions[0], request)
        if no:
            raise no
        fresh = make_plan(sessions[0], sessions[1:], request.wanted, needed, leftovers)
        if plan is None:
            show_plan(fresh, show)
        else:
            fresh = limited(fresh, plan)  # no more than what the user has seen
        done, noted = None, False
        try:
            with bar(quiet=show.quiet or show.as_json) as progress:
                done = carry_out(fresh, progress)
            for one in sessions:
                forget_empty(one)
        finally:
            noted = note_collected(sessions[0].root, sessions[0].git_root, fresh, done)
    finish(fresh, done, show)
    return ExitCode.OK if noted else ExitCode.FAILED


def _check(scope: Scope, num: int, projects: bool, more: bool) -> None:
    if num and not (scope.revision or scope.branches):
        raise UsageError("--num needs --rev or --all-branches", hint="see: mlx gc --help")
    if more and not projects:
        raise UsageError("mlx gc takes no targets", hint="other projects are named with -p PATH")


def _seconds(age: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])|0", age)
    if not found:
        raise UsageError(f"--older-than {age}: not an age", hint="write it as 12h, 14d or 0d")
    return float(found[1]) * _UNITS[found[2]] if found[1] else 0.0

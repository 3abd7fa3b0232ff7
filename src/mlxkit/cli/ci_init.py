"""`mlx ci init`: workflows for the repository, from the templates that mlx brings."""

from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.core.errors import ExitCode, UsageError

app = new_app()


def complete_workflows(incomplete: str) -> list[str]:
    """Complete the names of workflows."""
    from mlxkit.ci.options import WORKFLOWS

    return [one for one in WORKFLOWS if one.startswith(incomplete)]


@app.command()
def init(
    provider: Annotated[
        str, typer.Option(metavar="NAME", help="Whose workflows; github is the one there is.")
    ] = "github",
    lock: Annotated[
        str | None,
        typer.Option(
            metavar="commit|require",
            help="What train does about the lock: commit it back, or require it to be up to date "
            "(default).",
        ),
    ] = None,
    python: Annotated[
        list[str] | None,
        typer.Option(metavar="VERSION", help="Python; repeat it to test on several."),
    ] = None,
    install: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Installs the project and mlx; one line.")
    ] = None,
    test: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Tests the code; one line.")
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A secret that the data's remote needs; repeat it."),
    ] = None,
    deploy_secret: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A secret that deploy.sh needs; repeat it."),
    ] = None,
    signing_key: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The secret with the key that deploy attests with."),
    ] = None,
    push_token: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The secret with a token for pushes of the lock; by default GitHub's own.",
        ),
    ] = None,
    runner: Annotated[
        str | None,
        typer.Option(
            metavar="LABELS", help="Where stages and gates run: ubuntu-latest; self-hosted,gpu."
        ),
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(metavar="MINUTES", help="How long they may: 360.")
    ] = None,
    cron: Annotated[
        str | None, typer.Option(metavar="FIELDS", help="When retrain looks for new data, in UTC.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORKFLOW",
            help="test, train, review, deploy or retrain; repeat it.",
            autocompletion=complete_workflows,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Overwrite workflows that somebody changed.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 3 when one is not current.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Write workflows into .github/workflows: test, train, review, deploy, retrain.

    Called again, it brings them up to date with the options that they were written with; one
    that you changed is left alone. An empty value takes an option back.

    Example: mlx ci init --lock commit --secret AWS_ACCESS_KEY_ID --secret AWS_SECRET_ACCESS_KEY
    """
    from mlxkit.ci.init import choose_options, compare, known_options, refuse_changed, write
    from mlxkit.cli.ci_init_hints import hint, next_steps

    if provider != "github":
        raise UsageError(f"there are no workflows for '{provider}'", hint="choose: github")
    if check and force:
        raise UsageError("--check and --force exclude each other")
    top, folder = _place()
    texts = {
        "lock": lock, "install": install, "test": test, "signing_key": signing_key,
        "push_token": push_token, "runner": runner, "timeout": timeout, "cron": cron,
    }  # fmt: skip
    lists = {"python": python, "secrets": secret, "deploy_secrets": deploy_secret, "only": only}
    given: dict[str, Any] = {key: one for key, one in texts.items() if one is not None}
    given |= {key: tuple(filter(None, one)) for key, one in lists.items() if one}
    known = known_options(top, folder)
    options = choose_options(top, folder, given)
    files = compare(top, options)
    if not force and not check and options != known:
        refuse_changed(files)
    written = [] if check else write(top, files, force=force)
    done = {one.path for one in written}
    states = {one.path: "written" if one.path in done else one.state for one in files}
    current = all(state in ("current", "written", "yours") for state in states.values())
    if as_json:
        listed = [{"path": path, "state": state} for path, state in states.items()]
        terminal.write_json({"ok": current, "files": listed})
    elif not quiet:
        width = max(map(len, states.values()))
        for path, state in states.items():
            terminal.write(f"{state.ljust(width)}  {path}")
        hint(top, options, states)
        if written and options != known:
            next_steps(top, options, guessed=known is None and "install" not in given)
        elif written:
            terminal.note("they are as this mlx writes them now: look at git diff, and commit")
    return ExitCode.CHECK_FAILED if check and not current else ExitCode.OK


def _place() -> tuple[str, str]:
    """Return the repository's top, and the project's folder from there: empty where it is that."""
    from mlxkit.project import find_root
    from mlxkit.runs.choose import project_of
    from mlxkit.tools.git import require_root

    root = find_root(".")
    top = require_root(root)
    return top, project_of(root, top)

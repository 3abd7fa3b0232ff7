"""`mlx ci init`: workflows for the repository, from the templates that mlx brings."""

from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.core.errors import ExitCode, ProjectError, UsageError

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
        str,
        typer.Option(
            metavar="commit|require",
            help="What train does about the lock: commit it back, or require it to be up to date "
            "(default).",
        ),
    ] = "",
    python: Annotated[
        list[str] | None,
        typer.Option(metavar="VERSION", help="Python; repeat it to test on several."),
    ] = None,
    install: Annotated[
        str, typer.Option(metavar="COMMAND", help="Installs the project and mlx; one line.")
    ] = "",
    test: Annotated[str, typer.Option(metavar="COMMAND", help="Tests the code; one line.")] = "",
    secret: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A secret that the data's remote needs; repeat it."),
    ] = None,
    signing_key: Annotated[
        str, typer.Option(metavar="NAME", help="The secret with the key that deploy attests with.")
    ] = "",
    cron: Annotated[
        str, typer.Option(metavar="FIELDS", help="When retrain looks for new data, in UTC.")
    ] = "",
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
    that you changed is left alone.

    Example: mlx ci init --lock commit --secret AWS_ACCESS_KEY_ID --secret AWS_SECRET_ACCESS_KEY
    """
    from mlxkit.ci.init import choose_options, compare, write

    if provider != "github":
        raise UsageError(f"there are no workflows for '{provider}'", hint="choose: github")
    if check and force:
        raise UsageError("--check and --force exclude each other")
    root = _top()
    given = {
        "lock": lock, "python": tuple(python or ()), "install": install, "test": test,
        "secrets": tuple(secret or ()), "signing_key": signing_key, "cron": cron,
        "only": tuple(only or ()),
    }  # fmt: skip
    options = choose_options(root, given)
    files = compare(root, options)
    written = [] if check else write(root, files, force=force)
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
    if not quiet and not as_json:
        _hint(root, options, wrote=bool(written))
    return ExitCode.OK if current else ExitCode.CHECK_FAILED


def _top() -> str:
    """Return the repository's top, which must be the project's: workflows run their steps there."""
    from mlxkit.project import find_root
    from mlxkit.tools.git import require_root

    root = find_root(".")
    top = require_root(root)
    if top != root:
        raise ProjectError(
            "the project is in a subfolder of its Git repository",
            hint="workflows are written for projects at the top",
        )
    return root


def _hint(root: str, options: object, *, wrote: bool) -> None:
    from mlxkit.ci.init import lacking_gates
    from mlxkit.ci.options import Options
    from mlxkit.settings.load import section

    assert isinstance(options, Options)
    lacking = lacking_gates(options, section(root, "gates"))
    if lacking:
        names = ", ".join(lacking)
        terminal.note(f"mlx.yaml lacks gates that the workflows ask for: {names}")
    if wrote:
        terminal.note("look at them, then: git add .github && git commit; see docs/ci.md")

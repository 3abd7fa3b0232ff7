"""`mlx lint`: modules that stages import and do not declare, found in the sources."""

import os
from typing import Annotated

import typer

from mlxkit.cli import terminal
from mlxkit.cli.findings import finding_json, names_of, show_findings, sum_up
from mlxkit.cli.options import Json, Quiet, Targets, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.core.errors import ExitCode
from mlxkit.pipeline.targets import find_stages
from mlxkit.trace.fix import Fixed, add_deps
from mlxkit.trace.lint import lint as find

app = new_app()


@app.command()
def lint(
    stages: Targets = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Add the modules that it finds to deps in dvc.yaml.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Find Python modules of the repository that stages import, near or far, but do not declare.

    Only sources are read; nothing is run or imported. Installed packages and the standard library
    do not count, nor do modules that Git ignores or that have no code. Without TARGETS: all stages.

    Example: mlx lint --fix
    """
    with reading() as session:
        named = find_stages(session.declared, stages) if stages else session.declared.stages
        chosen = [stage for stage in named if not stage.is_source]
        found = find(session, chosen, os.environ)
    by_key = {stage.key: stage for stage in chosen}
    names = names_of(chosen)
    fixed = add_deps(found, by_key) if fix else Fixed()
    open_ones = [one for one in found if one not in fixed.added]
    if as_json:
        document = {
            "ok": not open_ones,
            "findings": [finding_json(one, names, fixed.added) for one in found],
            "by_hand": list(fixed.by_hand),
        }
        terminal.write_json(document)
    elif not quiet:
        for stage in chosen:
            own = [one for one in found if one.stage == stage.key]
            if own:
                terminal.write(terminal.styled(names[stage.key], "bold"))
                show_findings(own, fixed.added)
        sum_up(fixed, open_ones, len(chosen))
    return ExitCode.CHECK_FAILED if open_ones else ExitCode.OK

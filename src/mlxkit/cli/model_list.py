"""`mlx model list`: models with their latest version and what is in which stage."""

from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.model_options import tell_notes
from mlxkit.cli.options import Json, Quiet, Verbose, new_app

app = new_app()


@app.command()
def list_(
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="Also deprecated models.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """List the models of this repository; needs its tags alone.

    Example: mlx model list
    """
    from mlxkit.tools.git import require_root
    from mlxkit.versions.find import read_registry

    registry = read_registry(require_root("."))
    found = [one for one in registry.models.values() if everything or not one.deprecated]
    if as_json:
        terminal.write_json({"models": [_document(one) for one in found]})
    elif found:
        from mlxkit.cli.tables import show_rows

        show_rows([["MODEL", "LATEST", "COMMIT", "VERSIONS", "STAGES"], *map(_row, found)], (2, 3))
    elif not quiet:
        terminal.note("no models are registered: mlx model register NAME PATH")
    tell_notes(registry, quiet=quiet or as_json)
    return 0


def _row(one: Any) -> list[str]:
    latest = one.latest
    stages = ", ".join(f"{name} {each.shown}" for name, each in one.stages.items())
    return [
        f"{one.name} (deprecated)" if one.deprecated else one.name,
        latest.name if latest else "-",
        latest.commit[:7] if latest else "-",
        str(len(one.active)),
        stages or "-",
    ]


def _document(one: Any) -> dict[str, Any]:
    latest = one.latest
    return {
        "name": one.name,
        "latest": latest.name if latest else None,
        "deprecated": one.deprecated,
        "versions": [
            {"version": each.name, "commit": each.commit, "tag": each.event.tag}
            for each in one.active
        ],
        "stages": {
            name: {"version": each.version, "commit": each.commit, "tag": each.event.tag}
            for name, each in one.stages.items()
        },
    }

"""`mlx model list`: models with their latest version and what is in which stage."""

from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.model_options import tell_notes
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.wrapping import room

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

        titles = ["MODEL", "LATEST", "COMMIT", "VERSIONS", "STAGES"]
        rows = [_row(one) for one in found]
        if max(len(row[0]) + len(row[1]) + len(row[4]) + 4 for row in rows) > room():
            rows = [each for row in rows for each in _apart(row)]
        show_rows([titles, *rows], spare=(2, 3), words=(1, 4))
    elif not quiet:
        terminal.note(
            "no models are registered here: mlx model register NAME PATH, "
            "or those of others: git fetch --tags"
        )
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


def _apart(row: list[str]) -> list[list[str]]:
    """Return a model's row with the first stage, and one below it for each other stage."""
    first, *others = row[4].split(", ")
    return [[*row[:4], first], *([""] * 4 + [one] for one in others)]


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

"""The document that `dvc plots show --json` and `dvc plots diff --json` print."""

from collections.abc import Sequence
from typing import Any

from mlxkit.plots.collect import Collected
from mlxkit.tools.dvc_plots import Plot, Split, Trouble


def document(collected: Collected, plots: Sequence[Plot]) -> dict[str, Any]:
    """Return plots by name, each with its revisions, and all that is wrong."""
    errors = [_error(plot.name, one) for plot in plots for one in plot.troubles]
    errors += [
        {"name": name, "type": "TemplateNotFoundError", "msg": error.message}
        for name, error in collected.refused.items()
    ]
    errors += [
        {"rev": rev, "type": type(error).__name__, "msg": str(error)}
        for rev, error in collected.failed.items()
    ]
    found = {"errors": errors, "data": {plot.name: _entries(plot) for plot in plots}}
    return {key: value for key, value in found.items() if value}


def _entries(plot: Plot) -> list[dict[str, Any]]:
    if plot.kind == "image":
        return [
            {"type": "image", "revisions": [point.get("rev")], "url": point.get("src")}
            for point in plot.points
        ]
    if plot.document is None:
        return []
    entry = {"type": plot.kind, "revisions": plot.revisions}
    if isinstance(plot.document, Split):
        parts = {"anchor_definitions": plot.document.parts}
        return [{**entry, "content": plot.document.document, **parts}]
    return [{**entry, "content": plot.document}]


def _error(name: str, trouble: Trouble) -> dict[str, Any]:
    source = {} if trouble.source is None else {"source": trouble.source}
    told = {"type": trouble.type, "msg": trouble.msg}
    return {"name": name, "rev": trouble.rev, **source, **told}

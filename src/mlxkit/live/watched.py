"""Which files to watch for the metrics of a stage."""

import os
from collections.abc import Iterator

from mlxkit.live.series import Source
from mlxkit.pipeline.declared import Declared
from mlxkit.pipeline.spec import Stage, inside


def sources(stage: Stage, declared: Declared) -> list[Source]:
    """Return where a stage writes metrics and points of plots.

    Its own `metrics` and `plots`, those at the top of a `dvc.yaml` that lie in its outputs, and
    what dvclive writes in a folder of its.
    """
    found = dict.fromkeys(Source(out.abs, out.plot) for out in stage.outs if out.metric or out.plot)
    for one in _top(declared):
        if any(inside(one.path, out.abs) for out in stage.outs):
            found[one] = None
    for out in stage.outs:
        if not (out.metric or out.plot):
            found[Source(os.path.join(out.abs, "metrics.json"))] = None
            found[Source(os.path.join(out.abs, "plots", "metrics"), plot=True)] = None
    return list(found)


def _top(declared: Declared) -> Iterator[Source]:
    for path in declared.metrics:
        yield Source(os.path.abspath(path))
    for file, told in declared.plots.items():
        folder = os.path.dirname(file)
        for path in _plot_paths(told.get("plots")):
            yield Source(os.path.abspath(os.path.join(folder, path)), plot=True)


def _plot_paths(definitions: object) -> Iterator[str]:
    """Yield the files of plot definitions: an entry is a path, or has its paths under `y`."""
    for one in definitions if isinstance(definitions, list) else [definitions]:
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            for name, told in one.items():
                y = told.get("y") if isinstance(told, dict) else None
                yield from (str(path) for path in (y if isinstance(y, dict) else (name,)))

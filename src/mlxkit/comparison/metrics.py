"""The metrics of one revision, in DVC's order: of stages, then of `metrics` at a file's top."""

from collections.abc import Sequence
from typing import Any

from mlxkit.comparison.source import Source, failed
from mlxkit.comparison.state import FileValues
from mlxkit.comparison.values import Unparsed
from mlxkit.metrics.load import keep_metrics


def gather_metrics(source: Source, targets: Sequence[str] = ()) -> dict[str, FileValues]:
    """Return the values of all metrics files by path, or only of `targets`, files or folders.

    Paths are relative to the project's root.
    """
    paths = list(targets)
    if not targets:
        paths = [
            source.relative(out.abs)
            for stage, _ in source.declares.stages
            for out in stage.outs
            if out.metric
        ]
        paths += source.declares.metrics
    return {path: _read(source, path) for path in source.expanded(paths)}


def _read(source: Source, path: str) -> FileValues:
    try:
        values = source.values(path)
    except (Unparsed, OSError) as error:
        return failed(path, error)
    return FileValues(_kept(values))


def _kept(values: Any) -> Any:
    return keep_metrics(values) or {}

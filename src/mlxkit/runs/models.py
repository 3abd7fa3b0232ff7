"""Which stages make models, so that runs can be summed up by model.

Models are the artifacts of `type: model` that a `dvc.yaml` declares; where none is, all outputs in
a folder named `models`. A run counts for the models that its stage writes, once, also when it
failed; runs of stages that write none belong to no model.
"""

import os
from collections.abc import Iterable, Mapping

from mlxkit.pipeline.declared import Declared
from mlxkit.pipeline.spec import overlap
from mlxkit.runs.record import Record

FOLDER = "models"


def declared_models(declared: Declared) -> dict[str, str]:
    """Return the name of each declared model by its absolute path."""
    found = {}
    for file, artifacts in declared.artifacts.items():
        for name, one in artifacts.items():
            if one and one.get("type") == "model" and one.get("path"):
                path = os.path.join(os.path.dirname(file), str(one["path"]))
                found[os.path.normpath(path)] = name
    return found


def models_by_stage(
    declared: Declared, records: Iterable[Record], git_root: str, project: str
) -> dict[str, str]:
    """Return the models that each stage writes, as one text; a stage without is left out."""
    known = declared_models(declared)
    wrote: dict[str, set[str]] = {}
    for stage in declared.stages:
        if stage.name is not None:
            paths = {out.abs for out in stage.outs}
            wrote.setdefault(stage.address(declared.root), set()).update(paths)
    for record in records:
        paths = {os.path.normpath(os.path.join(git_root, one.path)) for one in record.outs}
        wrote.setdefault(record.stage, set()).update(paths)
    folder = os.path.join(git_root, project)
    named = {
        stage: sorted({name for path in paths if (name := _model(path, known, folder))})
        for stage, paths in wrote.items()
    }
    return {stage: ", ".join(names) for stage, names in named.items() if names}


def _model(path: str, known: Mapping[str, str], folder: str) -> str | None:
    if known:
        return next((name for model, name in known.items() if overlap(path, model)), None)
    shown = os.path.relpath(path, folder)
    return shown if FOLDER in shown.split(os.sep)[:-1] or shown == FOLDER else None

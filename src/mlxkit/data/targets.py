"""What a user names of one revision's records: stages, files that declare them, outputs."""

import os
from collections.abc import Mapping

from mlxkit.data.history.revision import Recorded


def prefixes_of(target: str, root: str, recorded: Mapping[str, Recorded]) -> list[str]:
    """Return the paths, relative to `root`, that `target` stands for; none where it is unknown.

    A target is a `.dvc` or `dvc.yaml` file, a stage or a group of them as seen from the current
    folder, an output, a path in one, or a folder that holds some.
    """
    path = _relative(target, root)
    of_file = [out for out, one in recorded.items() if one.file == path]
    if of_file:
        return of_file
    file, colon, name = target.rpartition(":")
    file = _relative(file if colon and file else "dvc.yaml", root)
    of_stage = [
        out
        for out, one in recorded.items()
        if one.file == file and one.stage is not None and name in (one.stage, _group(one.stage))
    ]
    if of_stage:
        return of_stage
    if any(path == out or path.startswith(f"{out}/") for out in recorded):
        return [path]
    return [out for out in recorded if path == "." or out.startswith(f"{path}/")]


def _group(stage: str) -> str:
    return stage.partition("@")[0]


def _relative(path: str, root: str) -> str:
    return os.path.relpath(os.path.abspath(path), root)

"""Loads what the project's files declare: DVC resolves them, mlx remembers the result.

Each file's resolved form is kept with the digests of every file that went in, so a warm start
reads one JSON file and does not import DVC.
"""

import json
import os
from dataclasses import dataclass, field
from typing import Any

from mlxkit.core.errors import ProjectError
from mlxkit.core.files import write_atomic
from mlxkit.core.memory import cache_path, recall
from mlxkit.core.yaml import key_line
from mlxkit.pipeline.build import data_stage, pipeline_stages
from mlxkit.pipeline.scan import Digest, has_patterns, scan
from mlxkit.pipeline.spec import Stage, upwards
from mlxkit.tools import dvc

FORMAT = 2


@dataclass(slots=True)
class Declared:
    """Everything that the project's files declare."""

    root: str
    config: dict[str, Any]
    stages: list[Stage] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    """Absolute paths listed under a file's top-level `metrics`."""
    params: list[str] = field(default_factory=list)
    plots: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each file says of plots: `plots` at its top, `stages` with their own."""
    vars: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Values that templates take from files, by path from the root and by key."""
    groups: dict[str, list[str]] = field(default_factory=dict)
    """Names of `foreach` and `matrix` stages by file."""
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each file says of artifacts, by their names."""
    files: list[str] = field(default_factory=list)
    has_ignore_patterns: bool = False

    def where(self, stage: Stage) -> str:
        """Return `file:line` of a stage's declaration, for error messages."""
        shown = os.path.relpath(stage.file)
        if stage.name is None:
            return shown
        try:
            with open(stage.file, encoding="utf-8") as file:
                text = file.read()
        except OSError:
            return shown
        line = key_line(text, ("stages", stage.name)) or key_line(
            text, ("stages", stage.name.rsplit("@", 1)[0])
        )
        return f"{shown}:{line}" if line else shown


def load_declared(root: str, git_root: str | None, digest: Digest, now_ns: int) -> Declared:
    """Read all `dvc.yaml` and `.dvc` files of the project at `root`.

    Raises ProjectError, with file and line, for the first file that is invalid.
    """
    store = cache_path(root, "declared.json")
    memory = _recall(store, root)
    config, config_memory = _config(root, memory.get("config"), digest)
    found = scan(root, git_root, memory.get("scan", {}), digest, now_ns)
    known = memory.get("files", {}) if config_memory == memory.get("config") else {}
    declared = Declared(root, config)
    declared.has_ignore_patterns = any(has_patterns(path) for path in found.dvcignores)
    remembered: dict[str, Any] = {}
    written: set[str] = set()
    for path in found.files:
        if any(folder in written for folder in upwards(path)):
            continue  # a folder that a stage writes is data, whatever lies in it
        remembered[path] = _resolved(root, config, path, known.get(path), digest)
        before = len(declared.stages)
        _add(declared, path, remembered[path]["data"])
        written.update([out.abs for stage in declared.stages[before:] for out in stage.outs])
    fresh = {
        "format": FORMAT,
        "dvc": dvc.signature(),
        "root": root,
        "config": config_memory,
        "scan": found.memory,
        "files": remembered,
    }
    if fresh != memory:
        _remember(store, fresh)
    return declared


def _recall(store: str, root: str) -> dict[str, Any]:
    memory = recall(store)
    ours = memory.get("format") == FORMAT and memory.get("root") == root
    return memory if ours and memory.get("dvc") == dvc.signature() else {}


def _remember(store: str, memory: dict[str, Any]) -> None:
    try:
        data = json.dumps(memory).encode()
    except (TypeError, ValueError):
        return  # a date or the like in `meta`: resolved anew each time
    if json.loads(data) != memory:
        return
    try:
        write_atomic(store, data, sync=False)
    except OSError:
        pass  # only a memory: a full disk or a read-only project must not stop a reader


def _config(
    root: str, memory: dict[str, Any] | None, digest: Digest
) -> tuple[dict[str, Any], dict[str, Any]]:
    environment = dvc.config_signature()
    if memory is not None and memory["environment"] == environment:
        digests = {path: digest(path) for path in memory["files"]}
        if digests == memory["files"]:
            return memory["values"], memory
    values, files = dvc.load_config(root)
    fresh = {
        "environment": environment,
        "files": {path: digest(path) for path in files},
        "values": values,
    }
    return values, fresh


def _resolved(
    root: str, config: dict[str, Any], path: str, memory: dict[str, Any] | None, digest: Digest
) -> dict[str, Any]:
    if memory is not None and all(
        digest(asked) == value for asked, value in memory["inputs"].items()
    ):
        return memory
    before = digest(path)
    text = _read(path)
    if path.endswith(".dvc"):
        data: dict[str, Any] = dvc.resolve_data_file(path, text)
        asked: list[str] = []
    else:
        data, asked = dvc.resolve_project_file(root, config, path, text)
    return {"inputs": {path: before, **{one: digest(one) for one in asked}}, "data": data}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise ProjectError("is not UTF-8 text", where=os.path.relpath(path)) from error
    except OSError as error:
        raise ProjectError(
            f"cannot be read: {error.strerror}", where=os.path.relpath(path)
        ) from error


def _add(declared: Declared, path: str, data: dict[str, Any]) -> None:
    if path.endswith(".dvc"):
        declared.stages.append(data_stage(declared.root, path, data))
        declared.files.append(path)
        return
    folder = os.path.dirname(path)
    declared.files.append(path)
    declared.stages += pipeline_stages(declared.root, path, data["stages"])
    declared.groups[path] = data["groups"]
    declared.artifacts[path] = data["artifacts"]
    declared.plots[path] = {"plots": data["plots"], "stages": data["stages"]}
    for name, values in data["vars"].items():
        declared.vars.setdefault(name, {}).update(values)
    declared.metrics += [os.path.join(folder, one) for one in data["metrics"]]
    declared.params += [os.path.join(folder, one) for one in data["params"]]

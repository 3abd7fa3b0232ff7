"""A random project as a value: what its files say, and what can be done to them."""

import copy
import json
import os
from dataclasses import dataclass, field
from typing import Any

import yaml

Document = dict[str, Any]
Files = dict[str, tuple[bytes, int]]  # path -> content, mode


@dataclass(frozen=True)
class Product:
    """Something a stage can read: a source or an output, as a path from the root."""

    path: str
    is_dir: bool = False


@dataclass
class World:
    """The files that a user writes; outputs and locks come from the tools."""

    sources: Files = field(default_factory=dict)
    params: dict[str, Document] = field(default_factory=dict)
    pipelines: dict[str, Document] = field(default_factory=dict)  # folder -> dvc.yaml
    tracked: dict[str, dict[str, bytes]] = field(default_factory=dict)  # added path -> files
    available: list[Product] = field(default_factory=list)
    outputs: list[Product] = field(default_factory=list)
    serial: int = 0

    def clone(self) -> "World":
        """An independent copy."""
        return copy.deepcopy(self)

    def number(self) -> int:
        """A number not yet used in a name."""
        self.serial += 1
        return self.serial

    def stages(self) -> list[tuple[str, str]]:
        """Folder and name of each entry of each dvc.yaml."""
        return [(folder, name) for folder, doc in self.pipelines.items() for name in doc["stages"]]

    def render(self) -> Files:
        """The content of every file that a user writes."""
        files = dict(self.sources)
        for path, values in self.params.items():
            files[path] = (render_params(path, values).encode(), 0o644)
        for folder, document in self.pipelines.items():
            text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10**6)
            files[os.path.join(folder, "dvc.yaml")] = (text.encode(), 0o644)
        for contents in self.tracked.values():
            files.update({path: (content, 0o644) for path, content in contents.items()})
        return files


def render_params(path: str, values: Document) -> str:
    """A parameter file in the format of its name."""
    if path.endswith(".json"):
        return json.dumps(values, indent=1, ensure_ascii=False) + "\n"
    if path.endswith(".toml"):
        return _toml(values)
    if path.endswith(".py"):
        return _python(values)
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def _toml(values: Document) -> str:
    flat = {key: value for key, value in values.items() if not isinstance(value, dict)}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in flat.items()]
    for key, table in values.items():
        if isinstance(table, dict):
            lines += ["", f"[{key}]"]
            lines += [f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in table.items()]
    return "\n".join(lines) + "\n"


def _python(values: Document) -> str:
    lines = []
    for key, value in values.items():
        if isinstance(value, dict):
            lines += [f"class {key}:", *(f"    {k} = {v!r}" for k, v in value.items())]
        else:
            lines.append(f"{key} = {value!r}")
    return "\n".join(lines) + "\n"

"""In which folder the stages of a `dvc.yaml` ran, at any commit: their lock's paths start there.

`wdir:` is rare, so nothing is read where no version of a `dvc.yaml` ever mentions it.
"""

from typing import Any

from mlxkit.core import yaml
from mlxkit.core.errors import MlxError
from mlxkit.data.history.tree import Tree, resolve
from mlxkit.lineage import blobs
from mlxkit.tools import git


class Wdirs:
    """The working folders of stages, by the version of their `dvc.yaml`."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._known: dict[tuple[str, str], dict[str, str]] = {}

    def of(self, commit: str, path: str, blob: str | None) -> dict[str, str]:
        """Return the folder of each stage of `path` that has one, relative to that of `path`.

        A stage of a `foreach` or `matrix` is also found by the name before its `@`.
        """
        if blob is None:
            return {}
        key = (blob, path)
        if key not in self._known:
            data = blobs.blobs(self._root, [blob]).get(blob, b"")
            self._known[key] = self._read(commit, path, data)
        return self._known[key]

    def _read(self, commit: str, path: str, data: bytes) -> dict[str, str]:
        try:
            found = {name: one for name, one in literal(yaml.load(data)).items() if one != "."}
            if any("${" in one for one in found.values()):
                return self._resolved(commit, path)
        except MlxError:
            return {}
        return found

    def _resolved(self, commit: str, path: str) -> dict[str, str]:
        def read(ids: list[str]) -> dict[str, bytes]:
            return blobs.blobs(self._root, ids)

        tree = Tree(commit, git.list_files(self._root, commit), read)
        return literal(resolve(self._root, {}, tree, path))


def literal(data: Any) -> dict[str, str]:
    """Return the folders as a parsed `dvc.yaml` has them, templates not filled in."""
    stages = data.get("stages") if isinstance(data, dict) else None
    found = {}
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        if isinstance(stage, dict):
            body = stage.get("do") if isinstance(stage.get("do"), dict) else stage
            wdir = (body or {}).get("wdir")
            if isinstance(wdir, str):
                found[str(name)] = wdir
    return found

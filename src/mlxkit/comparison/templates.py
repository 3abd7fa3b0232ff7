"""Templates of a `dvc.yaml` at a commit, filled in by DVC, and what they depend on."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlxkit.comparison.values import Parsed, Unparsed
from mlxkit.core import yaml
from mlxkit.core.errors import ProjectError
from mlxkit.data.history.tree import Tree
from mlxkit.pipeline.spec import DEFAULT_PARAMS
from mlxkit.tools import dvc

_NAMED = re.compile(r"\$\{\s*([^\s.\[\]}]+)")
_VARIABLES = (".yaml", ".yml", ".json", ".toml", ".py")


class Templates:
    """Fills in templates with the values that a commit has."""

    def __init__(self, root: str, config: dict[str, Any], parsed: Parsed) -> None:
        self._root = root
        self._config = config
        self._parsed = parsed

    def resolved(self, tree: Tree, path: str, where: str, raw: bytes) -> dict[str, Any]:
        """Return what the `dvc.yaml` at `path` declares; raises ProjectError."""

        def content(asked: str) -> bytes | None:
            name = os.path.relpath(asked, self._root)
            return tree.content(name) if tree.files.get(name) else None

        file = os.path.join(self._root, path)
        text = yaml.decode(raw, where)
        try:
            return dvc.resolve_project_file(self._root, self._config, file, text, content)[0]
        except ProjectError as error:
            raise ProjectError(error.message, where=where, hint=error.hint) from error

    def inputs(self, tree: Tree, path: str, data: Mapping[str, Any], raw: bytes) -> object:
        """Return what the templates depend on besides their text, to be compared.

        Where values come from params.yaml alone, these are the values that the templates name: an
        experiment usually changes others.
        """
        given = list(_given(data))
        if any(not isinstance(one, dict) for one in given):  # a file, or one named by a template
            return tuple(sorted(one for one in tree.files.items() if one[0].endswith(_VARIABLES)))
        default = os.path.normpath(os.path.join(os.path.dirname(path), DEFAULT_PARAMS))
        oid = tree.files.get(default)
        if oid is None:
            return None
        try:
            values = self._parsed.parse(default, tree.content(default))
        except Unparsed:
            return oid
        if not (isinstance(values, dict) and _is_plain(values)):
            return oid
        if any(not values.keys().isdisjoint(one) for one in given):
            return oid  # they are merged, or clash
        named = sorted(set(_NAMED.findall(raw.decode("utf-8", "replace"))))
        return repr([(name, values[name]) for name in named if name in values])


def _given(data: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what `vars` of the file and of its stages list."""
    stages = (data.get("stages") or {}).values()
    for one in (data, *(stage for stage in stages if isinstance(stage, dict))):
        yield from one.get("vars") or ()


def _is_plain(value: Any) -> bool:
    """Tell whether DVC's templates can hold a value: no dates."""
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (str, int, float))

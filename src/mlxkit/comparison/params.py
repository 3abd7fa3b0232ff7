"""The parameters of one revision: of stages, of `params` at a file's top, of params.yaml.

A file of which stages use some keys shows these; one that is named as a whole shows everything.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlxkit.comparison.source import Source, failed
from mlxkit.comparison.state import FileValues, Trouble
from mlxkit.comparison.values import Unparsed
from mlxkit.pipeline.spec import DEFAULT_PARAMS, Stage


def gather_params(
    source: Source,
    targets: Sequence[str] = (),
    *,
    stages: Sequence[Stage] = (),
    deps_only: bool = False,
) -> dict[str, FileValues]:
    """Return the values of all parameter files by path.

    Of `targets` only, whole; of `stages` only, what these use; with `deps_only` what any stage
    uses. Paths are relative to the project's root.
    """
    asked: list[tuple[str, Iterable[str]]] = [(path, ()) for path in targets]
    if not targets:
        chosen = stages or [stage for stage, _ in source.declares.stages]
        asked = [(source.relative(one.abs), one.keys) for stage in chosen for one in stage.params]
        if not deps_only and not stages:
            asked += [(path, ()) for path in source.declares.params]
            if source.content.exists(DEFAULT_PARAMS):
                asked.append((DEFAULT_PARAMS, ()))
    found: dict[str, FileValues] = {}
    for path, keys in _merged(asked).items():
        for file in source.expanded([path]):
            found[file] = _read(source, file, keys)
    if not targets and not stages:
        for path, values in source.declares.variables.items():
            found.setdefault(path, FileValues(dict(values)))
    return found


def _merged(asked: Iterable[tuple[str, Iterable[str]]]) -> dict[str, list[str]]:
    """Put the keys of each file together; without keys the whole of it is meant."""
    pairs = [(path, list(keys)) for path, keys in asked]
    whole = {path for path, keys in pairs if not keys}
    found: dict[str, list[str]] = {}
    for path, keys in pairs:
        found.setdefault(path, []).extend([] if path in whole else keys)
    return {path: list(dict.fromkeys(keys)) for path, keys in found.items()}


def _read(source: Source, path: str, keys: Sequence[str]) -> FileValues:
    try:
        values = source.values(path)
    except (Unparsed, OSError) as error:
        return failed(path, error)
    if not keys:
        return FileValues(values)
    try:
        return FileValues(_chosen(values, keys))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return FileValues(error=Trouble(type(error).__name__, f"{path}: {error}"))


def _chosen(values: Any, keys: Sequence[str]) -> dict[str, Any]:
    """Return the parts of nested values that the dotted keys name, nested as they are."""
    found: dict[str, Any] = {}
    for key in keys:
        if not _put(found, values, key):
            return _chosen_with_dpath(values, keys)
    return found


def _put(found: dict[str, Any], values: Any, key: str) -> bool:
    """Put what one key names into `found`; False where it takes more than a plain walk."""
    if any(sign in key for sign in "*?[]!"):
        return False
    parts = key.split(".")
    for part in parts[:-1]:
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
        found = found.setdefault(part, {})
        if not isinstance(found, dict):
            return False
    last = parts[-1]
    if not isinstance(values, Mapping) or last not in values or last in found:
        return False
    found[last] = values[last]
    return True


def _chosen_with_dpath(values: Any, keys: Sequence[str]) -> dict[str, Any]:
    from copy import deepcopy

    import dpath

    found: dict[str, Any] = {}
    for key in keys:
        dpath.merge(found, deepcopy(dpath.search(values, key, separator=".")), separator=".")
    return found

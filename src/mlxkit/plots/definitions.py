"""What a revision declares to be drawn: DVC's plot definitions, directories opened."""

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.tools.dvc_plots import Definitions

# Of an output listed under a stage's `plots`; whatever else is said there is about the file.
_PROPERTIES = ("template", "x", "y", "x_label", "y_label", "title", "header")


class Document(NamedTuple):
    """One `dvc.yaml`, resolved; paths are relative to the current folder."""

    path: str
    plots: Sequence[Any]
    """What it lists under `plots` at its top."""
    outs: Mapping[str, Mapping[str, Any]]
    """Properties of the plots that its stages write, by path."""


class Declared(NamedTuple):
    """Definitions of one revision, and the properties of files that are outputs."""

    definitions: Definitions
    outs: Mapping[str, Mapping[str, Any]]


Listing = Callable[[str], list[str] | None]
"""Files below a directory; None for what is none."""


def declare(
    documents: Iterable[Document],
    targets: Sequence[str],
    properties: Mapping[str, Any],
    below: Listing,
    exists: Callable[[str], bool],
) -> Declared:
    """Return what to draw; `properties`, from the command line, win over declared ones.

    `targets` are names, or their beginnings as patterns, as DVC takes them; or files.
    """
    documents = list(documents)
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    outs: dict[str, Mapping[str, Any]] = {}
    for one in documents:
        if chosen := _top(one, targets, properties, below):
            found.setdefault(one.path, {}).update(chosen)
    for one in documents:
        outs.update(one.outs)
        for path, said in one.outs.items():
            if _matches(targets, one.path, path):
                found.setdefault("", {}).update(_opened(path, {**said, **properties}, below))
    undeclared = not found and not any(one.plots for one in documents)
    for target in map(posixpath.normpath, targets):
        if undeclared or exists(target):
            plain = found.setdefault("", {})
            for path, said in _opened(target, properties, below).items():
                plain[path] = {**plain.get(path, {}), **said}
    return Declared(found, outs)


def without_twins(
    definitions: Definitions, properties: Mapping[str, Any]
) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Leave out files that nothing is said of where a definition has the same name.

    DVC draws an output, or a target, that `dvc.yaml` defines a second time without the definition.
    """
    defined = {name for file, plots in definitions.items() if file for name in plots}
    return {
        file: {
            name: said
            for name, said in plots.items()
            if file or name not in defined or said != properties
        }
        for file, plots in definitions.items()
    }


def stage_plots(folder: str, stages: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the plots that the stages of a file in `folder` write, with their properties."""
    found: dict[str, dict[str, Any]] = {}
    for stage in stages.values():
        base = os.path.join(folder, stage.get("wdir") or ".")
        for item in stage.get("plots") or ():
            for path, said in ({item: {}} if isinstance(item, str) else item).items():
                # Several definitions of a file are no longer possible: DVC takes the first.
                one = said[0] if isinstance(said, list) and said else said
                chosen = {key: one[key] for key in _PROPERTIES if key in (one or {})}
                found.setdefault(posixpath.normpath(os.path.join(base, path)), {}).update(chosen)
    return found


def _top(
    document: Document, targets: Sequence[str], properties: Mapping[str, Any], below: Listing
) -> dict[str, Mapping[str, Any]]:
    """Return the definitions at a file's top: of several files under a name, or by path."""
    folder = posixpath.dirname(document.path)
    said: dict[str, Mapping[str, Any]] = {}
    for item in document.plots:
        said.update(
            {item: {}} if isinstance(item, str) else {key: one or {} for key, one in item.items()}
        )
    parents = [posixpath.normpath(posixpath.join(folder, name)) for name in said]
    found: dict[str, Mapping[str, Any]] = {}
    for name, one in said.items():
        if not _matches(targets, document.path, name):
            continue
        if isinstance(one.get("y"), dict):
            found[name] = {**_from(folder, one), **properties}
            continue
        path = posixpath.normpath(posixpath.join(folder, name))
        for file, shown in _opened(path, {**one, **properties}, below).items():
            # The definition that is nearest to a file is the one that counts.
            if _nearest(file, parents) == path or file == path:
                found[file] = shown
    return found


def _from(folder: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition with the paths of its axes' files seen from the current folder."""
    moved = {
        axis: {
            posixpath.normpath(posixpath.join(folder, path)): fields
            for path, fields in said[axis].items()
        }
        for axis in ("x", "y")
        if isinstance(said.get(axis), dict)
    }
    return {**said, **moved}


def _opened(
    path: str, properties: Mapping[str, Any], below: Listing
) -> dict[str, Mapping[str, Any]]:
    files = below(path)
    return {file: dict(properties) for file in ([path] if files is None else files)}


def _nearest(path: str, parents: Iterable[str]) -> str:
    best = ""
    for parent in parents:
        common = posixpath.commonpath([path, parent])
        if len(common) > len(best):
            best = common
    return best


def _matches(targets: Sequence[str], file: str, name: str) -> bool:
    """Tell whether a plot is asked for: targets are patterns of how its name begins."""
    return not targets or any(
        _begins(target, name) or _begins(target, f"{file}::{name}" if file else name)
        for target in targets
    )


def _begins(pattern: str, text: str) -> bool:
    try:
        return re.match(pattern, text) is not None
    except re.error:
        return text.startswith(pattern)

"""Reads the plots of several revisions: what each declares, and the data that it holds."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import MlxError
from mlxkit.plots.definitions import declare, without_twins
from mlxkit.plots.source import Files, Source
from mlxkit.tools import dvc_plots
from mlxkit.tools.dvc_plots import Revision


class Wanted(NamedTuple):
    """What to draw: targets as DVC takes them, properties that win over declared ones.

    With `twins`, files are drawn beside definitions of their name, too, as DVC does.
    """

    targets: Sequence[str] = ()
    properties: Mapping[str, Any] = {}
    twins: bool = True


class Collected(NamedTuple):
    """Revisions by the names that a user gave them, and those that could not be read."""

    revisions: dict[str, Revision]
    failed: dict[str, MlxError]
    refused: dict[str, MlxError]
    """Plots whose template cannot be used."""


Parsed = dict[tuple[str, str, bool], dict[str, Any]]
"""Files by the md5 of their bytes, their path, and whether their first line has names."""


def collect(sources: Mapping[str, Source], wanted: Wanted, root: str) -> Collected:
    """Read each revision of the project at `root`; one that is invalid does not stop the others."""
    revisions: dict[str, Revision] = {}
    failed: dict[str, MlxError] = {}
    refused: dict[str, MlxError] = {}
    parsed: Parsed = {}
    for rev, source in sources.items():
        try:
            revisions[rev] = _revision(source, wanted, root, parsed)
        except MlxError as error:
            failed[rev] = error
    for rev, one in revisions.items():
        kept, bad = _usable(one, templates_folder(root))
        revisions[rev] = one._replace(definitions=kept)
        refused.update(bad)
    return Collected(revisions, failed, refused)


def _revision(source: Source, wanted: Wanted, root: str, parsed: Parsed) -> Revision:
    files = Files(root, source.content)
    declared = declare(
        source.documents(), wanted.targets, wanted.properties, files.below, files.exists
    )
    definitions = declared.definitions
    if not wanted.twins:
        definitions = without_twins(definitions, wanted.properties)
    paths = {
        path: None
        for plots in definitions.values()
        for name, said in plots.items()
        for path in dvc_plots.sources_of(name, said)
    }
    source.prepare(map(files.within, paths))
    sources = {}
    for path in paths:
        properties = {**declared.outs.get(path, {}), **wanted.properties}
        sources[path] = _parsed(files, path, bool(properties.get("header", True)), parsed)
    return Revision(definitions, sources)


def _parsed(files: Files, path: str, header: bool, known: Parsed) -> dict[str, Any]:
    """Return a file's content, or an error; the same bytes in several revisions are parsed once."""
    try:
        data = files.read(path)
    except FileNotFoundError as error:
        if files.exists(path):
            return {"error": error}  # recorded, but not in the cache
        return {"error": FileNotFoundError(2, "No such file or directory", path)}
    except (OSError, MlxError) as error:
        return {"error": error}
    key = (md5_bytes(data), path, header)
    if key not in known:
        known[key] = dvc_plots.parse(path, data, header=header)
    return known[key]


def _usable(
    revision: Revision, folder: str
) -> tuple[dict[str, dict[str, Mapping[str, Any]]], dict[str, MlxError]]:
    """Return the definitions whose templates can be used, and what is wrong with the others."""
    kept: dict[str, dict[str, Mapping[str, Any]]] = {}
    refused: dict[str, MlxError] = {}
    for file, plots in revision.definitions.items():
        for name, said in plots.items():
            try:
                dvc_plots.check_template(said.get("template"), folder)
                kept.setdefault(file, {})[name] = said
            except MlxError as error:
                refused[name] = error
    return kept, refused


def templates_folder(root: str) -> str:
    """Return where a project keeps templates of its own."""
    return os.path.join(root, ".dvc", "plots")

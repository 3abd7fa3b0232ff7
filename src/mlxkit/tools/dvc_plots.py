"""The door to DVC's plots: its readers of data files, its matching of points, its templates.

What comes in is plain data, what goes out is, too. DVC's templates live in its package
`dvc_render`, which draws nothing itself: a template filled in is a Vega-Lite document.
"""

import io
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError

Definitions = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""What is to be drawn: properties by the plot's name, by the file that declares it."""


class Trouble(NamedTuple):
    """Why a part of a plot is missing; `type` and `msg` are DVC's."""

    rev: str
    type: str
    msg: str
    source: str | None = None


class Plot(NamedTuple):
    """One plot: of all revisions together, or an image of each of them.

    `points` are rows with `rev` added; those of an image have `rev`, `filename` and `src`.
    """

    name: str
    kind: str
    revisions: list[str]
    points: list[dict[str, Any]]
    properties: Mapping[str, Any]
    document: Any
    """Vega-Lite, filled in; None for images, and where no revision has points."""
    template: str | None
    """The name of DVC's template; None for images and for a template of the user's own."""
    troubles: tuple[Trouble, ...]


class Split(NamedTuple):
    """A Vega-Lite document whose parts that vary are apart from it."""

    document: Mapping[str, Any]
    parts: Mapping[str, Any]


class Revision(NamedTuple):
    """What one revision declares and holds; `sources` are parsed files, or errors, by path."""

    definitions: Definitions
    sources: Mapping[str, Mapping[str, Any]]


def parse(path: str, data: bytes, *, header: bool) -> dict[str, Any]:
    """Return `{"data": content}` or `{"error": exception}` of a data file or an image."""
    from dvc.repo.plots import parse as parse_file

    def collect(result: dict[str, Any], error: Exception, **_: Any) -> None:
        result["error"] = error

    if path.endswith(".tsv") and not header:
        return _parse_tsv(path, data)
    file = _OneFile(data)
    found: dict[str, Any] = parse_file(file, path, props={"header": header}, onerror=collect)
    return found


def sources_of(name: str, properties: Mapping[str, Any]) -> list[str]:
    """Return the files that a definition takes its data from."""
    from dvc.repo.plots import infer_data_sources

    return list(infer_data_sources(name, properties))


def dvc_colours() -> list[Any]:
    """Return the colours that DVC gives to revisions."""
    from dvc_render.vega import OPTIONAL_ANCHOR_RANGES

    return list(OPTIONAL_ANCHOR_RANGES["color"])


def check_template(name: str | None, folder: str) -> None:
    """Raise MlxError where there is no such template, or it is no JSON object."""
    from dvc_render.exceptions import DvcRenderError
    from dvc_render.vega_templates import get_template

    try:
        if isinstance(get_template(name, folder).content, dict):
            return
        said = f"template '{name}' is no JSON object"
    except DvcRenderError as error:
        said = _one_line(error) or f"template '{name}' cannot be used"
    except (ValueError, OSError, RecursionError) as error:
        said = f"template '{name}' cannot be read: {_one_line(error)}"
    raise MlxError(said, hint="list templates with: mlx plots templates")


def draw(
    revisions: Mapping[str, Revision],
    templates: str,
    *,
    images: str | None = None,
    split: bool = False,
) -> list[Plot]:
    """Match data with definitions as DVC does, and fill in templates.

    `images` is where images are written to; without it they are kept in the points as data URIs.
    With `split`, a plot's document is a `Split`.
    """
    from dvc.render.match import match_defs_renderers

    logging.getLogger("dvc").setLevel(logging.ERROR)  # we tell what is wrong in our words
    data = {
        rev: {
            "definitions": {
                "data": {file: {"data": dict(plots)} for file, plots in one.definitions.items()}
            },
            "sources": {"data": one.sources},
        }
        for rev, one in revisions.items()
    }
    found = match_defs_renderers(data, out=images, templates_dir=templates)
    return [_plot(*one, split=split) for one in found]


def _plot(renderer: Any, of_sources: Any, of_definitions: Any, *, split: bool) -> Plot:
    from dvc_render.exceptions import DvcRenderError

    troubles = [
        Trouble(rev, type(error).__name__, str(error), source)
        for rev, errors in of_sources.items()
        for source, error in errors.items()
    ]
    troubles += [
        Trouble(rev, type(error).__name__, str(error)) for rev, error in of_definitions.items()
    ]
    document: Any = None
    revisions = [point.get("rev") for point in renderer.datapoints]
    if renderer.TYPE == "vega":
        revisions = renderer.get_revs()
        try:
            document = _document(renderer, split)
        except DvcRenderError as error:
            name = type(error).__name__
            troubles += [Trouble(rev, name, str(error)) for rev in revisions]
    properties = {key: value for key, value in renderer.properties.items() if key != "template_dir"}
    return Plot(
        renderer.name,
        renderer.TYPE,
        revisions,
        renderer.datapoints,
        properties,
        document,
        getattr(getattr(renderer, "template", None), "DEFAULT_NAME", "") or None,
        tuple(troubles),
    )


def _document(renderer: Any, split: bool) -> Any:
    if not renderer.datapoints:
        return None
    if split:
        content, parts = renderer.get_partial_filled_template()
        return Split(content, parts["anchor_definitions"])
    return renderer.get_filled_template()


def _parse_tsv(path: str, data: bytes) -> dict[str, Any]:
    """Read a table without names: DVC takes its first line for a single column."""
    import csv

    from dvc.utils.serialize import EncodingError

    try:
        rows = list(csv.reader(io.StringIO(data.decode(), newline=None), delimiter="\t"))
    except UnicodeDecodeError:
        return {"error": EncodingError(path, "utf8")}
    except csv.Error as error:
        return {"error": error}
    found = [{str(number): value for number, value in enumerate(row)} for row in rows if row]
    return {"data": found} if found else {}


class _OneFile:
    """As much of a file system as DVC's reader asks for: one file."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def open(self, path: str, mode: str = "r", encoding: str | None = None, **_: Any) -> Any:
        """Open it as `open` does."""
        content = io.BytesIO(self._data)
        return content if "b" in mode else io.TextIOWrapper(content, encoding=encoding)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())

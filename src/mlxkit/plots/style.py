"""Dresses DVC's filled-in templates: sizes, colours of revisions, legends, paper."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlxkit.plots.palette import colours
from mlxkit.tools.dvc_plots import Plot, dvc_colours

Document = dict[str, Any]

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
_PICTURE_WIDTH = 480
_BAR = 14
_LEGEND_LETTERS = 66
_CELL, _SMALLEST, _LARGEST = 56, 240, 640


def dress(plot: Plot, names: Sequence[str], *, width: int | str = _PICTURE_WIDTH) -> Document:
    """Return a plot's document without its data and title, its revisions in their colours.

    `names` are all revisions; `width` is in pixels, or `container`. A template of the user's own
    keeps its looks. The data are to be put under `data`.
    """
    document = _without_data(plot)
    document.pop("$schema", None)
    several = len(set(plot.revisions)) > 1
    chosen = {name: colour for name, colour in colours(names).items() if name in plot.revisions}
    _colour(document, chosen)
    if plot.template is None:
        return document
    document.pop("title", None)
    if not several:
        _colour_by_source(document)
    if _is_one_view(document):
        document["width"] = width
        if plot.template.startswith("bar_"):
            document["height"] = {"step": _BAR if several else _BAR + 4}
            if several:
                document["height"]["for"] = "offset"
    if plot.template.startswith("confusion"):
        _size_cells(document, plot)
    document["config"] = {"legend": _legend(plot, several)}
    for one in _mappings(document):
        if one.get("name") == "showValues":
            one.update(value=True, bind={**one["bind"], "name": "counts "})
        if one.get("name") == "smooth" and "bind" in one:
            one["bind"] = {**one["bind"], "name": "smoothing "}
    return document


def needs_room(plot: Plot) -> bool:
    """Tell whether a plot is several side by side."""
    confusion = plot.template is not None and plot.template.startswith("confusion")
    return confusion and len(set(plot.revisions)) > 1


def config(*, dark: bool) -> Document:
    """Return Vega's configuration for light or dark paper."""
    ink, faint = ("#e6e6e6", "#3a3d42") if dark else ("#1d1f23", "#dfe1e5")
    text = {"labelColor": ink, "titleColor": ink, "labelFont": FONT, "titleFont": FONT}
    chosen = list(colours([str(number) for number in range(8)], dark=dark).values())
    return {
        "background": "transparent" if dark else "#ffffff",
        "font": FONT,
        "view": {"stroke": faint},
        "axis": {
            **text,
            "gridColor": faint,
            "domainColor": faint,
            "tickColor": faint,
            "titleFontWeight": "normal",
            "labelLimit": 220,
        },
        "legend": {**text, "orient": "top", "title": None, "labelLimit": 400},
        "header": {**text, "title": None},
        "title": {"color": ink, "font": FONT},
        "text": {"color": ink},
        "range": {"category": chosen},
        "mark": {"color": chosen[0]},
        "line": {"strokeWidth": 2},
        "point": {"filled": True, "opacity": 0.75},
    }


def _without_data(plot: Plot) -> Document:
    """Copy the document, its points (wherever a template wants them) replaced by a name."""

    def copied(value: Any) -> Any:
        if value is plot.points:
            return []
        if isinstance(value, dict):
            return {key: copied(item) for key, item in value.items()}
        return [copied(item) for item in value] if isinstance(value, list) else value

    found: Document = copied(plot.document)
    return found


def places(plot: Plot) -> list[list[str | int]]:
    """Return where in the document the points belong, as paths of keys."""

    def searched(value: Any, path: list[str | int]) -> Iterator[list[str | int]]:
        if value is plot.points:
            yield path
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from searched(item, [*path, key])
        elif isinstance(value, list):
            for number, item in enumerate(value):
                yield from searched(item, [*path, number])

    return list(searched(plot.document, []))


def put(document: Document, path: Sequence[str | int], rows: Any) -> None:
    """Put the points where they belong."""
    at: Any = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = rows


def _colour(document: Document, chosen: Mapping[str, str]) -> None:
    """Let each revision have its colour wherever colour stands for revisions, and none is said."""
    for one in _colourings(document):
        said = (one.get("scale") or {}).get("range", [])
        if isinstance(said, list) and all(colour in dvc_colours() for colour in said):
            one["scale"] = {"domain": list(chosen), "range": list(chosen.values())}


def _colour_by_source(document: Document) -> None:
    """Of one revision, let colour tell apart what dashes and shapes alone would."""
    told = [
        encoding[channel]
        for encoding in _encodings(document)
        for channel in ("strokeDash", "shape")
        if isinstance(encoding.get(channel), dict) and "field" in encoding[channel]
    ]
    for encoding in _encodings(document):
        colour = encoding.get("color")
        if not isinstance(colour, dict) or colour.get("field") != "rev":
            continue
        if told:
            encoding["color"] = {"field": told[0]["field"], "type": "nominal"}
            encoding["color"]["scale"] = {"domain": told[0]["scale"]["domain"]}
        elif not encoding.get("column"):
            colour["legend"] = None
    for one in told:
        one.pop("legend", None)  # one legend tells of both


def _colourings(document: Document) -> list[Document]:
    found = [encoding.get("color") for encoding in _encodings(document)]
    return [one for one in found if isinstance(one, dict) and one.get("field") == "rev"]


def _encodings(document: Document) -> list[Document]:
    return [one["encoding"] for one in _mappings(document) if isinstance(one.get("encoding"), dict)]


def _mappings(value: Any) -> Iterator[Document]:
    if isinstance(value, dict):
        yield value
    items = value.values() if isinstance(value, dict) else value
    for item in items:
        if isinstance(item, (dict, list)):
            yield from _mappings(item)


def _legend(plot: Plot, several: bool) -> Document:
    """Return how the legend is laid out: so many names side by side as there is room for."""
    sources = {
        str(row.get(name, ""))
        for row in plot.points
        for name in ("filename", "field", "filename::field")
    }
    longest = max(map(len, [*sources, *(plot.revisions if several else ())]), default=0)
    lines = plot.template in ("linear", "smooth")
    return {
        "columns": min(6, max(1, _LEGEND_LETTERS // (longest + 5))),
        **({"symbolType": "stroke", "symbolStrokeWidth": 3, "symbolSize": 700} if lines else {}),
    }


def _size_cells(document: Document, plot: Plot) -> None:
    """Give a matrix of classes room for their names and counts."""
    axes = (str(plot.properties.get("x")), str(plot.properties.get("y")))
    classes = max(len({str(row.get(axis)) for row in plot.points}) for axis in axes)
    side = min(_LARGEST, max(_SMALLEST, classes * _CELL))
    for layer in document["spec"]["layer"]:
        if "width" in layer:
            layer["width"] = layer["height"] = side
        if layer.get("mark") == "text" and "text" not in layer["encoding"]:
            share = {"field": "percent_of_y", "type": "quantitative", "format": ".2f"}
            layer["encoding"] = {"text": share, **layer["encoding"]}


def _is_one_view(document: Document) -> bool:
    encoding = document.get("encoding", {})
    facets = any(encoding.get(channel) for channel in ("column", "row", "facet"))
    return "facet" not in document and not facets

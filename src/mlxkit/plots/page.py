"""One page of all plots, that needs nothing but itself."""

import json
import os
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from mlxkit.core.files import write_atomic
from mlxkit.plots import style
from mlxkit.plots.drawn import Drawn
from mlxkit.plots.images import Image
from mlxkit.plots.palette import colours
from mlxkit.plots.rows import columns
from mlxkit.tools import vegalite

_HERE = os.path.dirname(__file__)


class Page(NamedTuple):
    """What the page shows; `notes` stand at its top.

    `above` is HTML that stands before the plots, `style` CSS for it: a report's own parts.
    """

    title: str
    revisions: Sequence[str]
    charts: Sequence[Drawn]
    images: Sequence[Image]
    notes: Sequence[str]
    above: str = ""
    style: str = ""


def render(page: Page, script: str) -> str:
    """Return the page; `script` defines `vegaEmbed`."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(page.title)}</title>
<style>
{_asset("page.css")}{_swatches(page.revisions)}{page.style}</style>
</head>
<body>
<header>
<h1>{escape(page.title)}</h1>
{_legend(page.revisions)}{_notes(page.notes)}</header>
{page.above}<main>
{"".join(_chart(number, one) for number, one in enumerate(page.charts))}\
{"".join(map(_images, page.images))}</main>
<script type="application/json" id="plots">{_embedded(_data(page))}</script>
{f"<script>{script}</script>" if page.charts else ""}
<script>
{_asset("page.js")}</script>
</body>
</html>
"""


# Nothing is loaded from anywhere, whatever stands in data or templates. Vega compiles expressions.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)


def script(cache: str) -> str:
    """Return Vega's script; it is made once and then kept in the folder `cache`.

    Raises MlxError where it cannot be made.
    """
    path = os.path.join(cache, f"vega-{vegalite.version()}.js")
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        made = vegalite.bundle()
    try:
        write_atomic(path, made.encode(), sync=False)
    except OSError:
        pass  # only a memory
    return made


def _data(page: Page) -> dict[str, Any]:
    return {
        "config": {
            "light": {**style.config(dark=False), "background": "transparent"},
            "dark": style.config(dark=True),
        },
        "colours": {
            "light": colours(page.revisions),
            "dark": colours(page.revisions, dark=True),
        },
        "charts": [
            {
                "document": style.dress(one.plot, page.revisions, width="container"),
                "places": style.places(one.plot),
                "rows": columns(one.rows.rows),
            }
            for one in page.charts
        ],
    }


def _embedded(data: Any) -> str:
    """Return JSON that cannot end the element that it stands in."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _chart(number: int, drawn: Drawn) -> str:
    plot = drawn.plot
    title = drawn.title
    under = f'<p class="name">{escape(plot.name)}</p>\n' if title != plot.name else ""
    wide = ' class="wide"' if style.needs_room(plot) else ""
    return f"""<section{wide}>
<h2>{escape(title)}</h2>
{under}<div class="chart" id="chart-{number}"></div>
{_notes(drawn.notes)}</section>
"""


def _images(image: Image) -> str:
    figures = "".join(_figure(image.name, rev, source) for rev, source in image.sources)
    return f"""<section class="wide">
<h2>{escape(image.name)}</h2>
<div class="side">
{figures}</div>
{_notes(image.notes)}</section>
"""


def _figure(name: str, rev: str, source: str | None) -> str:
    caption = f"<figcaption>{escape(rev)}</figcaption>"
    if source is None:
        return f'<figure class="gone">{caption}<p>not there</p></figure>\n'
    about = escape(f"{name} in {rev}")
    return f'<figure>{caption}<img alt="{about}" src="{escape(source)}"></figure>\n'


def _legend(revisions: Sequence[str]) -> str:
    items = "".join(
        f'<li><i class="rev-{number}"></i>{escape(name)}</li>'
        for number, name in enumerate(revisions)
    )
    return f'<ul class="revisions">{items}</ul>\n' if len(revisions) > 1 else ""


def _swatches(revisions: Sequence[str]) -> str:
    light, dark = colours(revisions), colours(revisions, dark=True)
    plain = "".join(
        f".rev-{number}{{background:{light[name]}}}\n" for number, name in enumerate(revisions)
    )
    other = "".join(
        f".rev-{number}{{background:{dark[name]}}}\n" for number, name in enumerate(revisions)
    )
    return f"{plain}@media (prefers-color-scheme: dark) {{\n{other}}}\n"


def _notes(notes: Sequence[str]) -> str:
    return "".join(f'<p class="note">{escape(one)}</p>\n' for one in notes)


def _asset(name: str) -> str:
    with open(os.path.join(_HERE, name), encoding="utf-8") as file:
        return file.read()

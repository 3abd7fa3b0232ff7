"""A picture file of each plot, and copies of images, named after plot and revision."""

import base64
import os
import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.core.files import write_atomic
from mlxkit.plots import style
from mlxkit.plots.drawn import Drawn
from mlxkit.plots.images import Image
from mlxkit.tools import vegalite


class Written(NamedTuple):
    """Files that were written, and plots that could not be drawn."""

    paths: list[str]
    failed: list[tuple[str, MlxError]]


def write_pictures(
    charts: Sequence[Drawn], images: Sequence[Image], names: Sequence[str], folder: str, kind: str
) -> Written:
    """Write `png` or `svg` files into `folder`; `names` are all revisions. Raises OSError."""
    written = Written([], [])
    taken: set[str] = set()
    os.makedirs(folder, exist_ok=True)
    for one in charts:
        try:
            data = vegalite.picture(chart(one, names), kind, style.config(dark=False))
        except MlxError as error:
            written.failed.append((one.plot.name, error))
            continue
        path = os.path.join(folder, f"{_free(file_name(one.plot.name), taken)}.{kind}")
        write_atomic(path, data, sync=False)
        written.paths.append(path)
    for image in images:
        stem, end = os.path.splitext(image.name)
        for rev, source in image.sources:
            if source is not None:
                name = _free(f"{file_name(stem)}--{file_name(rev)}", taken)
                path = os.path.join(folder, name + end)
                data = base64.b64decode(source.partition("base64,")[2])
                write_atomic(path, data, sync=False)
                written.paths.append(path)
    return written


def chart(drawn: Drawn, names: Sequence[str]) -> dict[str, Any]:
    """Return the whole document of a plot, with its points and its title."""
    document = style.dress(drawn.plot, names)
    for path in style.places(drawn.plot):
        style.put(document, path, drawn.rows.rows)
    if drawn.plot.template is not None:
        document["title"] = {"text": drawn.title, "anchor": "start", "limit": 460}
        if drawn.rows.notes:
            lines = [line for note in drawn.rows.notes for line in textwrap.wrap(note, 76)]
            document["title"]["subtitle"] = lines
    document["padding"] = 12
    return document


def file_name(name: str) -> str:
    """Return a name as that of a file: no folders, nothing hidden, not too long."""
    return re.sub(r"[^\w.=+~-]+", "_", name).strip("._")[:120] or "plot"


def _free(name: str, taken: set[str]) -> str:
    """Return the name, numbered where another plot has it already (also in other case)."""
    candidates: Iterable[str] = (name if n == 1 else f"{name}-{n}" for n in range(1, 10**9))
    found = next(one for one in candidates if one.lower() not in taken)
    taken.add(found.lower())
    return found

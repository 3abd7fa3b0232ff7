"""Images of several revisions, side by side."""

import posixpath
import re
from collections.abc import Sequence
from typing import NamedTuple

from mlxkit.tools.dvc_plots import Plot

_DVC = "data:image;base64,"
_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}


class Image(NamedTuple):
    """An image in each revision, as a data URI; None where a revision does not have it."""

    name: str
    sources: list[tuple[str, str | None]]
    notes: tuple[str, ...] = ()


def image_of(plot: Plot, revisions: Sequence[str], notes: tuple[str, ...] = ()) -> Image:
    """Return the image that a plot is, in the order of the revisions."""
    known = {point["rev"]: point["src"] for point in plot.points}
    kind = _TYPES.get(posixpath.splitext(plot.name)[1], "application/octet-stream")
    return Image(
        plot.name,
        [
            (rev, known[rev].replace(_DVC, f"data:{kind};base64,", 1) if rev in known else None)
            for rev in revisions
        ],
        notes,
    )


def in_order(images: Sequence[Image]) -> list[Image]:
    """Sort images by name, numbers in names by what they are: `9.png` before `10.png`."""
    return sorted(images, key=lambda one: _natural(one.name))


def _natural(name: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]

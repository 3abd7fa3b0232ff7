"""A plot that is ready to be drawn."""

from collections.abc import Sequence
from typing import NamedTuple

from mlxkit.plots.images import Image, image_of, in_order
from mlxkit.plots.rows import Rows, prepare
from mlxkit.tools.dvc_plots import Plot, Trouble


class Drawn(NamedTuple):
    """A plot, the points that are drawn of it, and what is to be said below."""

    plot: Plot
    rows: Rows
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        """What stands above it."""
        return str(self.plot.properties.get("title") or self.plot.name)


class Prepared(NamedTuple):
    """Charts and images in their order; `empty` are plots with nothing to draw, and why."""

    charts: list[Drawn]
    images: list[Image]
    empty: list[str]


def make_ready(plots: Sequence[Plot], revisions: Sequence[str]) -> Prepared:
    """Sort plots into what can be drawn, and what cannot."""
    found = Prepared([], [], [])
    for plot in plots:
        notes = tuple(_all_said(plot.troubles))
        if plot.kind == "image":
            if plot.points:
                found.images.append(image_of(plot, revisions, notes))
                continue
        elif plot.document is not None:
            rows = prepare(plot)
            found.charts.append(Drawn(plot, rows, (*notes, *rows.notes)))
            continue
        why = "; ".join(notes) or "there are no points in its data"
        found.empty.append(f"{plot.name}: {why}")
    return found._replace(images=in_order(found.images))


def _all_said(troubles: Sequence[Trouble]) -> list[str]:
    """Say what is wrong, the same thing of several revisions once."""
    found: dict[str, list[str]] = {}
    for one in troubles:
        found.setdefault(_said(one), []).append(one.rev)
    return [f"{', '.join(revs)}: {text}" for text, revs in found.items()]


def _said(trouble: Trouble) -> str:
    text = " ".join(trouble.msg.split()).removeprefix("[Errno 2] ")
    if trouble.source and trouble.source not in text:
        return f"{trouble.source}: {text}"
    return text

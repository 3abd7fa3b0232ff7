"""Metrics in a few characters each: name, newest value, spark line."""

from collections.abc import Mapping, Sequence
from typing import TextIO

from rich.cells import cell_len, set_cell_size

from mlxkit.cli import terminal
from mlxkit.cli.terminal import printable
from mlxkit.live.series import Series, order, plain_name
from mlxkit.live.spark import ASCII, BLOCKS, spark
from mlxkit.metrics.preferences import Preference, preference_of

GAP = "   "
_LONGEST_NAME = 24
_LONGEST_VALUE = 12
_USUAL_VALUE = 6
_ARROWS = {"higher": "↑", "lower": "↓"}


def levels(stream: TextIO) -> str:
    """Return the characters that spark lines are made of on `stream`."""
    return BLOCKS if terminal.takes(BLOCKS, stream) else ASCII


def curve_lines(
    series: Sequence[Series],
    known: Mapping[str, Preference],
    *,
    width: int,
    lines: int,
    stream: TextIO,
) -> list[str]:
    """Return as many metrics as fit in so many lines of `width` characters."""
    if width < 8:
        return []
    length = 12 if width >= 60 else 8
    found: list[str] = []
    for one in order(series, known):
        preference = preference_of(plain_name(one.name), known)
        text = curve(one, preference, length, stream)
        if cell_len(text.rstrip()) > width:
            text = set_cell_size(curve(one, preference, 0, stream), width)
        if found and cell_len(f"{found[-1]}{GAP}{text}".rstrip()) <= width:
            found[-1] += GAP + text
        elif len(found) < lines:
            found.append(text)
        else:
            break
    return [one.rstrip() for one in found]


def curve(one: Series, preference: Preference, length: int, stream: TextIO) -> str:
    """Return one metric, padded so that what follows it stays in place."""
    arrow = _ARROWS.get(preference.better or "", "")
    arrow = f" {arrow}" if arrow and terminal.takes(arrow, stream) else ""
    name = shortened(one.name, _LONGEST_NAME)
    value = value_text(one.value, preference).ljust(_USUAL_VALUE)
    text = f"{name}{arrow} {value}"
    if length and one.moves:
        text += " " + spark(one.points, length, levels=levels(stream)).ljust(length)
    return text


def value_text(value: float | str, preference: Preference) -> str:
    """Return a value with its unit, in a few characters."""
    shown = value if isinstance(value, str) else f"{value:.4g}"
    if isinstance(value, int) and abs(value) < 10**_USUAL_VALUE:
        shown = str(value)
    unit = f" {preference.unit}" if preference.unit and not isinstance(value, str) else ""
    return shortened(shown, _LONGEST_VALUE) + shortened(unit, _LONGEST_VALUE)


def shortened(text: str, longest: int) -> str:
    """Return a text from a file so that it fits, and does nothing to a terminal."""
    text = printable(text)
    return text if cell_len(text) <= longest else set_cell_size(text, longest - 2) + ".."

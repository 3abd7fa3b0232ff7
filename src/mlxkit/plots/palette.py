"""Colours of revisions: apart for the colour-blind, legible on light and on dark paper."""

import colorsys
from collections.abc import Iterable, Sequence

# After Okabe and Ito; each hue in a shade with enough contrast to its paper.
LIGHT = (
    *("#0072b2", "#d55e00", "#007a5a", "#b5548c"),
    *("#2e9bd6", "#b87f00", "#5a5a5a", "#5b3fa0"),
)
DARK = (
    *("#4da8e0", "#ff8a3d", "#2cc79a", "#e59ac4"),
    *("#9ad4f5", "#f2b632", "#b5b5b5", "#a690f0"),
)
_GOLDEN = 0.618034
# A contrast of 3 to the paper, which graphics need to be seen.
_BRIGHTEST, _DARKEST = 0.29, 0.14


def colours(names: Sequence[str], *, dark: bool = False) -> dict[str, str]:
    """Return a colour for each name, none twice."""
    chosen = DARK if dark else LIGHT
    more = (_made(number, dark) for number in range(len(names)))
    return {
        name: chosen[number] if number < len(chosen) else next(more)
        for number, name in enumerate(names)
    }


def _made(number: int, dark: bool) -> str:
    """Return one of endlessly many: hues far from the last one, in three shades."""
    hue = (0.07 + number * _GOLDEN) % 1
    lightness = (0.62, 0.72, 0.82)[number % 3] if dark else (0.28, 0.38, 0.48)[number % 3]
    parts = list(colorsys.hls_to_rgb(hue, lightness, 0.65))
    while not dark and _luminance(parts) > _BRIGHTEST:
        parts = [part * 0.95 for part in parts]
    while dark and _luminance(parts) < _DARKEST:
        parts = [1 - (1 - part) * 0.95 for part in parts]
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _luminance(parts: Iterable[float]) -> float:
    """Return how bright a colour looks, as the Web Content Accessibility Guidelines define it."""
    linear = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

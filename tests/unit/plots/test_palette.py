"""Colours: no two alike, none too near to its paper."""

import pytest

from mlxkit.plots.palette import DARK, LIGHT, colours


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_each_name_has_its_own(dark: bool) -> None:
    names = [str(number) for number in range(60)]
    found = colours(names, dark=dark)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    assert colours(names[:3], dark=dark) == {name: found[name] for name in names[:3]}


def test_graphics_have_the_contrast_that_accessibility_guidelines_ask_for() -> None:
    assert min(_contrast(one, "#ffffff") for one in LIGHT) >= 3
    assert min(_contrast(one, "#17191c") for one in DARK) >= 3
    many = [str(number) for number in range(40)]
    assert min(_contrast(one, "#ffffff") for one in colours(many).values()) >= 3
    assert min(_contrast(one, "#17191c") for one in colours(many, dark=True).values()) >= 3

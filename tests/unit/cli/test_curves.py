"""Metrics in the width that there is."""

import io

import pytest
from rich.cells import cell_len

from mlxkit.cli.curves import curve_lines, value_text
from mlxkit.live.series import Series
from mlxkit.metrics.preferences import Preference

KNOWN = {"acc": Preference("higher", "%")}
SERIES = [
    Series("loss", 0.123456, (3.0, 2.0, 1.0)),
    Series("valid.acc", 93, (1.0, 2.0)),
    Series("note", "a\x1b[31m\nb"),
    Series("損失" * 20, float("nan"), (1.0, float("nan"))),
]


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


def lines(width: int, count: int = 3, encoding: str = "utf-8") -> list[str]:
    return curve_lines(SERIES, KNOWN, width=width, lines=count, stream=stream(encoding))


def test_a_wide_terminal() -> None:
    assert lines(90)[0] == "valid.acc ↑ 93 %   ▁█             loss ↓ 0.1235 █▅▁"


def test_an_old_terminal() -> None:
    found = lines(90, encoding="ascii")
    assert found[0] == "valid.acc 93 %   _#             loss 0.1235 #+_"
    assert found[1].endswith("nan    =" + " " * 14 + "note a\\x1b[31m\\nb")


@pytest.mark.parametrize("width", range(4, 120))
def test_every_width(width: int) -> None:
    found = lines(width)
    assert all(cell_len(one) <= width for one in found)
    assert len(found) <= 3
    assert (width < 8) == (not found)
    assert "".join(found).isprintable()


def test_no_room() -> None:
    assert lines(90, 0) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.000012345, "1.234e-05"), (123456, "123456"), (12345678, "1.235e+07")),
        *((True, "True"), (float("inf"), "inf"), ("x" * 50, "x" * 10 + ".."), (1.0, "1")),
    ],
)
def test_values(value: float | str, text: str) -> None:
    assert value_text(value, Preference()) == text


def test_units() -> None:
    assert value_text(2.5, Preference(unit="ms\x1b")) == "2.5 ms\\x1b"

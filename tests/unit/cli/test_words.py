"""Numbers, durations and tables for people."""

import math
from typing import Any

import pytest

from mlxkit.cli.tables import aligned, number, show_files
from mlxkit.cli.terminal import counted, duration, styled


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0.0 s"), (0.04, "0.0 s"), (0.44, "0.4 s"), (9.94, "9.9 s"), (10, "10 s"), (59.4, "59 s"),
    (60, "1 min 0 s"), (185.2, "3 min 5 s"), (3599, "59 min 59 s"), (3600, "1 h 0 min"),
    (90_061, "25 h 1 min"),
])  # fmt: skip
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(59.6, "1 min 0 s"), (3599.7, "1 h 0 min")])
def test_a_duration_never_shows_sixty_of_a_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_counted() -> None:
    assert [counted(n, "stage") for n in (0, 1, 2)] == ["0 stages", "1 stage", "2 stages"]


@pytest.mark.parametrize(("value", "text"), [
    (0.123456789, "0.12346"), (1.0, "1"), (1234567, "1234567"), (1234567.0, "1234567"),
    (True, "True"),
    ("text", "text"), (1e-9, "1e-09"), (None, "None"),
])  # fmt: skip
def test_number(value: Any, text: str) -> None:
    assert number(value, 5) == text


def test_no_style_where_nobody_sees_it() -> None:
    assert styled("text", "red") == "text"


def test_files_that_share_names_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    files: list[tuple[str, dict[str, Any]]] = [
        ("a.json", {"x": 1, "y": 2.5}),
        ("other.json", {"rows": 7}),
        ("b.json", {"x": 10, "z": "text"}),
    ]
    show_files(files, "metric", {"x": " ↑"})
    assert capsys.readouterr().out == (
        "metric  a.json  b.json\n"
        "x ↑          1      10\n"
        "y          2.5       -\n"
        "z            -    text\n"
        "\n"
        "metric  other.json\n"
        "rows             7\n"
        "\n"
    )


def test_no_files(capsys: pytest.CaptureFixture[str]) -> None:
    show_files([], "metric", {})
    assert capsys.readouterr().out == ""


def test_a_file_without_values(capsys: pytest.CaptureFixture[str]) -> None:
    show_files([("empty.json", {})], "metric", {})
    assert "empty.json" in capsys.readouterr().out


def test_fractions_with_the_same_number_of_decimals() -> None:
    texts = ["0.5", "-0.25", "+0.5", "3", "-", "1e-09", "0.1 ms", "nan", ""]
    values = [0.5, -0.25, 0.5, 3, None, 1e-09, 0.1, math.nan, "text"]
    assert aligned(texts, values) == [
        *("0.50", "-0.25", "+0.50", "3", "-", "1e-09", "0.10 ms", "nan", ""),
    ]  # fmt: skip


def test_decimals_that_are_added_are_those_of_the_value() -> None:
    shown = aligned(["0.98481", "0.0123457"], [0.984813084, 0.01234567])
    assert shown == ["0.9848131", "0.0123457"]

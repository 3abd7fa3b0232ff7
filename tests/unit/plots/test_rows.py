"""Points as a page takes them."""

import json
import math
from typing import Any

import pytest

from mlxkit.plots.rows import A_BAR_CHART, A_SERIES, columns, prepare
from mlxkit.tools.dvc_plots import Plot


def plot(rows: list[dict[str, Any]], template: str | None = "linear", **more: Any) -> Plot:
    properties = {"x": "x", "y": "y", **more}
    revisions = list(dict.fromkeys(row.get("rev", "r") for row in rows))
    return Plot("p", "vega", revisions, rows, properties, {}, template, ())


def unpacked(told: dict[str, Any]) -> list[dict[str, Any]]:
    """What page.js makes of it."""
    rows: list[dict[str, Any]] = [{} for _ in range(told["length"])]
    for name, column in told["columns"].items():
        values = column.get("values") or [
            value for value, times in column.get("runs", ()) for _ in range(times)
        ]
        for number, value in enumerate(values):
            if number not in column.get("missing", ()):
                rows[number][name] = value
    return rows


def test_texts_of_a_csv_become_numbers() -> None:
    rows = [{"x": "0", "y": " 1.50 "}, {"x": "1", "y": "-2e-3"}, {"x": "2", "y": ""}]
    assert prepare(plot(rows)).rows == [
        {"x": 0, "y": 1.5},
        {"x": 1, "y": -0.002},
        {"x": 2, "y": None},
    ]


@pytest.mark.parametrize("texts", [["cat", "1"], ["007", "1"], ["1_0", "2"], ["0x1", "1"]])
def test_names_stay_names(texts: list[str]) -> None:
    rows = [{"x": text, "y": "1"} for text in texts]
    assert [row["x"] for row in prepare(plot(rows)).rows] == texts


def test_what_is_not_finite_is_left_out_and_told() -> None:
    bad: list[Any] = ["nan", "-inf", "Infinity", math.nan, math.inf]
    found = prepare(plot([{"x": 1, "y": one, "z": "nan"} for one in [*bad, "3"]]))
    assert [row["y"] for row in found.rows] == [None] * 5 + [3]
    assert found.notes == ("5 values are not a finite number and left out",)
    json.dumps(found.rows, allow_nan=False)


def test_only_what_a_template_of_dvc_shows_is_kept() -> None:
    row = {"x": 1, "y": 2, "rev": "a", "filename": "f", "field": "y", "other": "secret"}
    assert "other" not in prepare(plot([row])).rows[0]
    assert "other" in prepare(plot([row], template=None)).rows[0]


def test_a_long_line_is_thinned_by_series() -> None:
    rows = [{"x": str(x), "y": str(x % 7), "rev": rev} for rev in ("a", "b") for x in range(9000)]
    found = prepare(plot(rows))
    for rev in ("a", "b"):
        chosen = [row["x"] for row in found.rows if row["rev"] == rev]
        assert len(chosen) == A_SERIES and chosen[0] == 0 and chosen[-1] == 8999
    assert found.notes == (
        "4,000 of 18,000 points are shown, chosen so that the lines look the same "
        "(largest triangles, LTTB)",
    )


def test_many_series_share_the_room() -> None:
    rows = [{"x": x, "y": x, "rev": str(rev)} for rev in range(40) for x in range(1000)]
    assert len(prepare(plot(rows)).rows) <= 20_000


def test_clouds_and_bars_are_thinned_counts_are_not() -> None:
    rows = [{"x": number, "y": number} for number in range(5000)]
    assert len(prepare(plot(rows, "scatter")).rows) == A_SERIES
    assert len(prepare(plot(rows, "bar_horizontal")).rows) == A_BAR_CHART
    assert len(prepare(plot(rows, "confusion")).rows) == 5000
    assert len(prepare(plot(rows, None)).rows) == 5000


@pytest.mark.parametrize("values", [
    [], [1], [1, 1, 1, 1, 1], [1, True, 1.0, "1", None], [None] * 5, ["a", "a", "a", "b", "b"],
])  # fmt: skip
def test_columns_lose_nothing(values: list[Any]) -> None:
    rows = [
        {"v": value, "same": "x", **({"odd": 1} if n % 2 else {})} for n, value in enumerate(values)
    ]
    told = json.loads(json.dumps(columns(rows)))
    back = unpacked(told)
    assert back == rows
    assert [type(row["v"]) for row in back] == [type(row["v"]) for row in rows]

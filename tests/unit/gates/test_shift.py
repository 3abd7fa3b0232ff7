"""`shift`: sizes of effects as scipy has them, and what they are held to."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from mlxkit.gates.effects import Distributions, population_stability, total_variation, wasserstein
from mlxkit.gates.verdict import Verdict

from .tables import Folder, judge, write

SOME = st.lists(st.integers(-20, 20), min_size=2, max_size=60)
NOTHING = np.zeros((0, 2))


def counted(before: Any, now: Any) -> Distributions:
    values = np.unique(np.concatenate([before, now]))
    sides = [
        [np.count_nonzero(np.asarray(side) == one) for one in values] for side in (before, now)
    ]
    return Distributions(values.astype(float), np.array(sides, dtype=float).T, NOTHING)


@examples(max_examples=40, deadline=None)
@given(SOME, SOME)
def test_scipy_agrees(before: list[int], now: list[int]) -> None:
    found = counted(before, now)
    spread = np.std(before)
    distance = wasserstein_distance(before, now)
    if spread:
        assert wasserstein(found) == pytest.approx(distance / spread)
    else:
        assert wasserstein(found) == (math.inf if distance else 0)
    a, b = (found.counts / found.counts.sum(axis=0)).T
    assert total_variation(found) == pytest.approx(np.abs(a - b).sum() / 2)
    assert total_variation(counted(before, before)) == 0
    assert population_stability(counted(before, before), 10) == 0
    assert population_stability(found, 10) >= 0


@pytest.mark.parametrize("far", [1e200, 1e308])
def test_numbers_whose_squares_are_infinite(far: float) -> None:
    before = [-far, -far, far, far]
    assert wasserstein(counted(before, [-far, far, far, far])) == pytest.approx(0.5)
    assert wasserstein(counted([1.0, 2.0], [1.0, far])) > 1e100
    assert wasserstein(counted([-far, 1.0], [1.0, 1.0])) == pytest.approx(1)


def test_stability_index_of_quantiles() -> None:
    before, now = np.arange(1000.0), np.arange(1000.0) + 100
    # Nine bins keep a tenth, the first one loses all, the last one has two tenths.
    told = (0.2 - 0.1) * math.log(2) + (1e-4 - 0.1) * math.log(1e-4 / 0.1)
    assert population_stability(counted(before, now), 10) == pytest.approx(told)


def test_empty_cells_are_a_bin() -> None:
    values, counts = np.array([1.0]), np.array([[90.0, 50.0]])
    found = Distributions(values, counts, np.array([[10.0, 50.0]]))
    told = (0.5 - 0.9) * math.log(0.5 / 0.9) + (0.5 - 0.1) * math.log(0.5 / 0.1)
    assert population_stability(found, 10) == pytest.approx(told)
    assert total_variation(found) == pytest.approx(0.4)


def frame(rows: int = 2000, by: float = 0.0, **columns: Any) -> pd.DataFrame:
    random = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "x": random.normal(size=rows) + by,
            "n": random.integers(0, 3, rows),
            "sex": np.where(np.arange(rows) % 2 == 0, "f", "m"),
        }
    ).assign(**columns)


def check(
    before: pd.DataFrame | None, now: pd.DataFrame, folder: Path, more: str = ""
) -> list[Verdict]:
    write(now, folder / "here" / "t.parquet")
    accepted = None
    if before is not None:
        write(before, folder / "v1" / "t.parquet")
        accepted = Folder(folder / "v1", "v1")
    rule = f"shift: {{path: t.parquet, leave_out: [id]{more}}}"
    return judge(rule, Folder(folder / "here"), accepted=accepted)


def test_what_moved_little_passes(tmp_path: Path) -> None:
    found = check(frame(), frame(by=0.01), tmp_path)
    assert [(one.verdict, one.what) for one in found] == [
        ("pass", "psi of x"), ("pass", "wasserstein of x"), ("pass", "variation of sex")
    ]  # fmt: skip
    assert set(found[0].figures) == {"x", "n"}
    assert set(found[0].evidence) == {"t.parquet", "v1:t.parquet"}


def test_the_column_that_moved_most_is_named(tmp_path: Path) -> None:
    psi, distance, variation = check(frame(), frame(by=1.0, sex="f"), tmp_path)
    assert {psi.verdict, distance.verdict, variation.verdict} == {"fail"}
    assert (psi.what, distance.what) == ("psi of x", "wasserstein of x")
    assert distance.value == pytest.approx(1.0, abs=0.02)
    assert (variation.value, variation.threshold) == (0.5, 0.1)
    assert variation.why == "total variation against v1: sex 0.5, maximum 0.1"
    more = ", psi: 9, wasserstein: 2, variation: 0.5"
    assert {one.verdict for one in check(frame(), frame(by=1.0, sex="f"), tmp_path, more)} == {
        "pass"
    }


def test_the_same_bytes_need_no_look(tmp_path: Path) -> None:
    (found,) = check(frame(), frame(), tmp_path)
    assert (found.verdict, found.why) == ("pass", "t.parquet is the same as in v1")


def test_the_first_version(tmp_path: Path) -> None:
    (found,) = check(None, frame(), tmp_path)
    assert found.verdict == "fail"
    assert found.why == (
        "gate t has not accepted any version of t.parquet before; look at it, then: "
        "mlx gate t --override --reason TEXT, or say first: pass"
    )
    (found,) = check(None, frame(), tmp_path, ", first: pass")
    assert (found.verdict, found.why.endswith(": the first one passes here")) == ("pass", True)
    (found,) = check(None, frame(0), tmp_path, ", first: pass")
    assert (found.verdict, found.why) == ("fail", "t.parquet has no rows")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"x": "1"}, "t.parquet has text in x, v1:t.parquet has float64"),
        ({"new": 1}, "t.parquet has the new column 'new' since v1:t.parquet: leave it out"),
    ],
)
def test_columns_that_are_others_fail(change: dict[str, Any], why: str, tmp_path: Path) -> None:
    (found,) = check(frame(), frame(**change), tmp_path)
    assert (found.verdict, found.why.startswith(why)) == ("fail", True), found.why


def test_columns_that_are_gone_fail(tmp_path: Path) -> None:
    (found,) = check(frame(), frame().drop(columns="x"), tmp_path)
    assert (found.verdict, "has lost column 'x'" in found.why) == ("fail", True)
    (found,) = check(frame(), frame().drop(columns="x"), tmp_path, ", columns: [x, n]")
    assert (found.verdict, "t.parquet has no column 'x'" in found.why) == ("fail", True)
    (found,) = check(frame(0), frame(), tmp_path)
    assert (found.verdict, found.why) == ("fail", "v1:t.parquet has no rows")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
@pytest.mark.parametrize("column", ["x", "sex"])
def test_cells_that_become_empty_or_infinite_fail(value: Any, column: str, tmp_path: Path) -> None:
    if column == "sex" and value is not None:
        value = None
    now = frame()
    now.loc[: len(now) // 2, column] = value
    found = check(frame(), now, tmp_path, f", columns: [{column}]")
    assert "fail" in {one.verdict for one in found}
    assert all(one.value is None or math.isfinite(one.value) for one in found)


def test_a_column_that_was_constant(tmp_path: Path) -> None:
    found = check(frame(n=7), frame(n=8), tmp_path, ", columns: [n]")
    assert [one.verdict for one in found] == ["fail", "fail"]
    assert "n without end, maximum 0.1" in found[1].why


def test_a_base_takes_the_place(tmp_path: Path) -> None:
    write(frame(by=1), tmp_path / "here" / "t.parquet")
    write(frame(), tmp_path / "main" / "t.parquet")
    others = {"main": Folder(tmp_path / "main", "main")}
    here = Folder(tmp_path / "here")
    for rule, base in ((", against: nope", "main"), (", against: main", None)):
        found = judge(f"shift: {{path: t.parquet, columns: [x]{rule}}}", here, others, base=base)
        assert [one.verdict for one in found] == ["fail", "fail"]
    (found,) = judge("shift: {path: t.parquet, against: nope}", here, others)
    assert found.why == "there is no revision 'nope'"

"""Sums and prices of runs, and which runs count."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlxkit.core.errors import ProjectError, UsageError
from mlxkit.gates.version_cost import measured
from mlxkit.runs.choose import last_run, read_time, since
from mlxkit.runs.cost import GIB, Cost, cost_of, grouped, total
from mlxkit.runs.prices import Prices, load_prices
from mlxkit.runs.record import Record

PRICES = Prices("EUR", cpu_hour=0.5, gpu_hour=2, memory_gib_hour=0.1, read_gib=1, written_gib=3)
FULL = {
    "cpu_seconds": 7200,
    "peak_memory": 2 * GIB,
    "read_bytes": GIB,
    "written_bytes": GIB // 2,
    "gpu_seconds": 1800.0,
}


def _record(stage: str = "train", outcome: str = "ran", **fields: Any) -> Record:
    given = {"started": "2026-01-02T00:00:00.000Z", "seconds": 3600.0, "cost": FULL, **fields}
    return Record(stage=stage, outcome=outcome, **given)


def test_a_run_and_its_price() -> None:
    found = cost_of(_record(), PRICES)
    assert found.memory_gib_hours == 2
    assert found.price == pytest.approx(2 * 0.5 + 0.5 * 2 + 2 * 0.1 + 1 + 0.5 * 3)
    assert (found.runs, found.failed, found.failed_price, found.unmeasured) == (1, 0, 0, 0)
    assert cost_of(_record(), None).price is None


def test_a_failed_run_costs_as_much() -> None:
    found = cost_of(_record(outcome="failed"), PRICES)
    assert found.price == found.failed_price == cost_of(_record(), PRICES).price
    assert (found.runs, found.failed, found.failed_seconds) == (1, 1, 3600)


def test_a_restored_result_is_no_run() -> None:
    found = cost_of(_record(outcome="restored", seconds=0.1, cost={}), PRICES)
    assert (found.runs, found.restored, found.unmeasured, found.price) == (0, 1, 0, 0)


def test_what_was_not_measured_is_neither_zero_nor_made_up() -> None:
    found = cost_of(_record(cost={"cpu_seconds": None, "peak_memory": None}), PRICES)
    assert (found.cpu_seconds, found.peak_memory, found.gpu_seconds) == (None, None, None)
    assert (found.unmeasured, found.price) == (1, 0)
    both = total([found, cost_of(_record(), PRICES)])
    assert (both.runs, both.unmeasured, both.cpu_seconds) == (2, 1, 7200)


@pytest.mark.parametrize("odd", ["7", True, -1, float("nan"), [1], {}])
def test_a_stranger_s_figures_are_no_figures(odd: Any) -> None:
    found = cost_of(_record(cost=dict.fromkeys(FULL, odd)), PRICES)
    assert (found.cpu_seconds, found.peak_memory, found.price) == (None, None, 0)


@pytest.mark.parametrize("measure", ["price", "seconds", "cpu_seconds", "memory_gib_hours"])
def test_a_gate_is_told_no_cost_that_was_not_measured(measure: str) -> None:
    known = measured(cost_of(_record(), PRICES), measure)
    assert known is not None and known > 0
    assert measured(cost_of(_record(cost={}, seconds=0), PRICES), measure) is None


def test_groups_add_up_to_the_total() -> None:
    records = {
        "a": _record("prep", cost={"cpu_seconds": 1.5, "peak_memory": 10}),
        "b": _record("train"),
        "c": _record("train", "failed", seconds=60.0, cost={"cpu_seconds": 30, "peak_memory": 99}),
    }
    found = grouped(records, PRICES, lambda _, record: record.stage)
    assert found.keys() == {"prep", "train"}
    assert (found["train"].runs, found["train"].failed, found["train"].seconds) == (2, 1, 3660)
    assert found["train"].cpu_seconds == 7230
    assert found["train"].peak_memory == 2 * GIB, "a peak is no sum"
    everything = total(found.values())
    assert everything == total(cost_of(one, PRICES) for one in records.values())
    assert total([]) == Cost()


def test_the_last_run_of_a_stage_is_one_that_ran() -> None:
    records = {"a": _record(), "b": _record(outcome="failed"), "c": _record(outcome="restored")}
    found = last_run(records, "train")
    assert found is not None and found[0] == "b"
    assert last_run(records, "other") is None


def test_data_that_was_recorded_is_no_run() -> None:
    records = {"a": _record(outcome="committed"), "b": _record()}
    assert {name: one.runs for name, one in grouped(records, None, lambda n, _: n).items()} == {
        "b": 1
    }


def test_figures_beyond_all_measure() -> None:
    huge = _record(seconds=1e300, cost={"cpu_seconds": 1e300, "peak_memory": -1})
    found = total(cost_of(one, None) for one in (huge, huge))
    assert (found.seconds, found.cpu_seconds, found.unmeasured) == (0.0, None, 2)


# When

NOW = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("today", datetime(2026, 3, 31, tzinfo=UTC)),
        ("yesterday", datetime(2026, 3, 30, tzinfo=UTC)),
        ("2 weeks ago", NOW - timedelta(days=14)),
        ("1 Day", NOW - timedelta(days=1)),
        ("1.5 hours ago", NOW - timedelta(minutes=90)),
    ],
)
def test_times(text: str, wanted: datetime) -> None:
    assert read_time(text, NOW) == wanted


TIMELESS = ["", "soon", "2026-13-01", "x days ago", "1e999 days", "3 moons",
            "0001-01-01T00:00:00+09:00", "9999-12-31T23:59:59-09:00"]  # fmt: skip


@pytest.mark.parametrize("text", TIMELESS)
def test_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        read_time(text, NOW)


def test_runs_since() -> None:
    records = {"a": _record(started="2026-01-01T23:59:59.999Z"), "b": _record()}
    assert list(since(records, datetime(2026, 1, 2, tzinfo=UTC))) == ["b"]
    assert list(since(records, datetime.fromisoformat("2026-01-02T00:30:00+01:00"))) == ["a", "b"]


# Prices


def test_prices(tmp_path: Path) -> None:
    assert load_prices(str(tmp_path)) is None
    file = tmp_path / "mlx.yaml"
    file.write_text("metrics: {}\n")
    assert load_prices(str(tmp_path)) is None
    file.write_text("cost: {currency: EUR, cpu_hour: 0.05, gpu_hour: 2}\n")
    assert load_prices(str(tmp_path)) == Prices("EUR", 0.05, 2.0)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("cost: 3\n", ":1", "`cost` is not a mapping: 3"),
        ("cost:\n  currency: EUR\n  cpu_hours: 1\n", ":3", "unknown key 'cpu_hours'"),
        ("cost:\n  cpu_hour: cheap\n", ":2", "`cost.cpu_hour` is not a number: 'cheap'"),
        ("cost:\n  gpu_hour: -1\n", ":2", "`cost.gpu_hour` is less than 0: -1"),
        ("cost:\n  gpu_hour: yes\n", ":2", "is not a number: 'yes'"),
        ("cost:\n  gpu_hour: .inf\n", ":2", "is not a finite number: inf"),
        ("cost:\n  gpu_hour: true\n", ":2", "is not a number: true"),
        ("cost:\n  currency: 3\n", ":2", "`cost.currency` is not a text: 3"),
        ("- 1\n", "", "is not a mapping"),
        ("cost: {\n", ":2", "."),
    ],
)
def test_what_is_no_price(text: str, where: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "mlx.yaml").write_text(text)
    with pytest.raises(ProjectError, match=message) as caught:
        load_prices(str(tmp_path))
    assert (caught.value.where or "").endswith(f"mlx.yaml{where}")
    assert caught.value.hint

"""Asking and telling, with the real optuna."""

import math
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from mlxkit.comparison.state import FileValues, Trouble
from mlxkit.experiments.objective import Missing
from mlxkit.experiments.search import Asking, Search
from mlxkit.experiments.space import parse_space

SPACE = "lr=1e-4..1e-1 log;depth=1..8;kind=a,b,[1,2]"
Settings = tuple[str, ...]
Metrics = dict[str, FileValues] | None


def metrics(value: Any) -> Metrics:
    return {"m.json": FileValues({"valid": {"loss": value}})}


def loss(settings: Settings) -> Metrics:
    """A bowl: its lowest point is at lr=0.01, depth=3, kind=b."""
    chosen = dict(one.split("=") for one in settings)
    far = (math.log10(float(chosen["lr"])) + 2) ** 2 + (int(chosen["depth"]) - 3) ** 2 / 10
    return metrics(far + (chosen["kind"] != "b"))


def asking(count: int, space: str = SPACE, better: str = "lower", seed: int = 0) -> Asking:
    return Asking(Search(parse_space(space), better, seed), "loss", count)


def searched(one: Asking, run: Callable[[Settings], Metrics] = loss) -> list[Settings]:
    """Run all that is asked for, one after the other."""
    found = []
    while (settings := one.next()) is not None:
        one.tell(settings, run(settings))
        found.append(settings)
    return found


def test_it_finds_what_is_good() -> None:
    one = asking(40)
    runs = searched(one)
    assert len(runs) == len(set(runs)) == 40
    best = one.best()
    assert best is not None
    assert "kind=b" in best[0]
    assert best[1] < 0.2
    early, late = (
        [(loss(run) or {})["m.json"].values["valid"]["loss"] for run in part]
        for part in (runs[:10], runs[-10:])
    )
    assert sum(late) < sum(early) / 2, "it learns"


def test_the_other_direction() -> None:
    one = asking(30, better="higher")
    searched(one)
    best = one.best()
    assert best is not None and best[1] > 3


def test_the_same_search_gives_the_same_runs() -> None:
    runs = searched(asking(15))
    assert searched(asking(15)) == runs
    assert searched(asking(15, seed=1)) != runs


@pytest.mark.parametrize("known", [0, 1, 7, 15])
def test_a_killed_search_goes_on_as_if_nothing_had_happened(known: int) -> None:
    runs = searched(asking(15))
    again = asking(15)
    for settings in runs[:known]:
        again.recall(settings, loss(settings))
    assert searched(again) == runs[known:]


def test_failures_are_not_asked_for_again() -> None:
    one = asking(12, "k=1..6;s=a,b")
    found = searched(one, lambda _: None)
    assert len(set(found)) == 12
    assert one.best() is None


@pytest.mark.parametrize("space", ["k=1..4;s=a,b", "k=0.5..0.7..0.1", "k=x", "k=0.5..0.5"])
def test_a_small_space_is_tried_whole_and_then_it_ends(space: str) -> None:
    found = searched(asking(50, space), lambda _: metrics(1.0))
    assert len(found) == len(set(found)) == parse_space(space).count


def test_a_continuous_space_that_is_small() -> None:
    found = searched(asking(50, "k=0.10001..0.10005"), lambda _: metrics(1.0))
    assert len(found) == len(set(found)) == 5


def test_several_at_once() -> None:
    one = asking(9)
    running = [one.next() for _ in range(3)]
    found = []
    while running:
        settings = running.pop(0)
        assert settings is not None
        found.append(settings)
        one.tell(settings, loss(settings))
        after = one.next()
        if after is not None:
            running.append(after)
    assert len(found) == len(set(found)) == 9


def test_parameters_of_no_interest_are_left_out() -> None:
    one, other = asking(2), asking(2)
    settings = one.next()
    assert settings is not None
    one.tell(settings, metrics(1))
    assert other.recall((*settings, "seed=7"), metrics(1)) == 1.0
    assert other.next() == one.next()
    assert other.recall(("lr=0.5",), metrics(1)) == Missing("is not of this search")


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (metrics("high"), "'loss' is no number: 'high'"),
        (metrics(True), "'loss' is no number: 'True'"),
        (metrics(math.nan), "'loss' is nan"),
        (metrics(-math.inf), "'loss' is -inf"),
        (metrics(10**400), "'loss' is inf"),
        ({}, "there is no metric 'loss'"),
        ({"m.json": FileValues({"los": 1})}, "there is no metric 'loss'"),
        (
            {"m.json": FileValues(None, Trouble("X", "is bad"))},
            r"no metric 'loss' \(m.json: is bad",
        ),
        (
            {"a.json": FileValues({"loss": 1}), "b.json": FileValues({"loss": 2})},
            "in several places: a.json:loss, b.json:loss",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_metrics_that_are_no_result(told: Metrics, why: str) -> None:
    one = asking(2)
    settings = one.next()
    assert settings is not None
    found = one.tell(settings, told)
    assert isinstance(found, Missing)
    assert re.search(why, found.why), found
    assert one.best() is None
    assert one.next() is not None


def test_one_metric_of_several_files() -> None:
    told = {
        "a.json": FileValues({"loss": 1}),
        "b.json": FileValues({"loss": 2, "valid": {"loss": 3}}),
    }
    for name, value in (("a.json:loss", 1), ("b.json:loss", 2), ("valid.loss", 3)):
        one = Asking(Search(parse_space("k=1..3"), "lower"), name, 1)
        settings = one.next()
        assert settings is not None
        assert one.tell(settings, told) == value
        assert one.best() == (settings, value)


def fresh(script: str) -> str:
    """What a script prints in a process of its own."""
    argv = [sys.executable, "-c", script]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def test_without_optuna() -> None:
    told = fresh("""
import os, sys
from mlxkit.core.errors import MlxError
from mlxkit.experiments.objective import Missing
from mlxkit.experiments.search import require_optuna
before = dict(os.environ)
sys.modules["optuna"] = None
try:
    require_optuna()
except MlxError as error:
    print(error, "|", error.hint, "|", dict(os.environ) == before)
""")
    assert told == (
        "--search needs optuna, which is not installed | run: pip install 'mlxkit[search]' | True"
    )


def test_no_threads_are_there_to_be_forked() -> None:
    told = fresh("""
import os
from mlxkit.experiments.objective import Missing
from mlxkit.experiments.search import Search
from mlxkit.experiments.space import parse_space
before = dict(os.environ)
Search(parse_space("k=0.1..0.2"), "lower").suggest(0, [])
print(len(os.listdir("/proc/self/task")), dict(os.environ) == before)
""")
    assert told == "1 True"

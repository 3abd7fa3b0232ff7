"""Which result is the best, and by which metric, where nobody has named one."""

from typing import Any

from mlxkit.comparison.state import FileValues, Trouble
from mlxkit.experiments.best import Best, choose_metric, find_best
from mlxkit.metrics.preferences import Preference

KNOWN = {"pr": Preference("higher"), "loss": Preference("lower")}


def _metrics(**files: Any) -> dict[str, FileValues]:
    return {f"{name}.json": FileValues(values) for name, values in files.items()}


def test_the_leaderboards_metric_comes_first() -> None:
    one = _metrics(test={"loss": 1, "pr": 2})
    assert choose_metric([one], KNOWN, "pr") == "test.json:pr"
    both = {**one, **_metrics(other={"pr": 3})}
    assert choose_metric([both], KNOWN, "pr") == ""
    assert choose_metric([both], KNOWN, "pr", ["test.json"]) == "test.json:pr"
    assert choose_metric([both], KNOWN, "pr", ["test.json", "other.json"]) == ""


def test_without_one_the_only_metric_that_has_a_direction() -> None:
    assert choose_metric([_metrics(a={"loss": 1, "rows": 7})], KNOWN) == "a.json:loss"
    assert choose_metric([_metrics(a={"x": {"loss": 1}, "is": True})], KNOWN) == "a.json:x.loss"
    assert choose_metric([_metrics(a={"loss": 1, "pr": 1})], KNOWN) == ""
    assert choose_metric([_metrics(a={"loss": 1}), _metrics(b={"loss": 1})], KNOWN) == ""
    assert choose_metric([_metrics(a={"loss": "low", "rows": 7})], KNOWN) == ""
    assert choose_metric([_metrics(a={"loss": 1})], KNOWN, "nope") == "a.json:loss"
    assert choose_metric([], KNOWN, "pr") == ""
    broken = {"a.json": FileValues(error=Trouble("ValueError", "bad"))}
    assert choose_metric([broken], KNOWN) == ""


def test_the_best_in_the_metrics_direction() -> None:
    values = {"one": 0.2, "two": 0.1, "none": float("nan"), "text": "x"}
    results = {name: _metrics(m={"pr": value, "loss": value}) for name, value in values.items()}
    results["without"] = _metrics(m={})
    assert find_best(results, "m.json:pr", KNOWN) == Best("one", "m.json:pr", 0.2)
    assert find_best(results, "m.json:loss", KNOWN) == Best("two", "m.json:loss", 0.1)
    assert find_best(results, "m.json:rows", KNOWN) is None
    same = {name: _metrics(m={"pr": 1}) for name in "ab"}
    assert find_best(same, "m.json:pr", KNOWN) is None

"""What of a file is a metric, and under which name."""

from typing import Any

import pytest
from dvc.repo.metrics.show import _collect_metrics, _gather_metrics

from mlxkit.metrics.load import flatten, keep_metrics

TREES = [
    {"a": 1, "b": 2.5, "c": "text"},
    {"a": {"b": {"c": 0}}},
    {"a": [1, 2], "b": None, "c": True},
    {"a": {"b": []}, "c": {}},
    {"only": {"lists": [1]}},
    {},
]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_what_is_a_metric_is_what_dvc_shows(tree: Any) -> None:
    from dvc.repo.metrics.show import _extract_metrics

    theirs = _extract_metrics(tree, "m.json")
    assert (keep_metrics(tree) or {}) == (theirs or {})


def test_dvcs_own_reader_is_where_it_was() -> None:
    assert callable(_gather_metrics) and callable(_collect_metrics)


@pytest.mark.parametrize(("values", "flat"), [
    ({"a": {"b": 1, "c": {"d": 2}}, "e": 3}, {"a.b": 1, "a.c.d": 2, "e": 3}),
    ({"a.b": 1}, {"a.b": 1}), ({}, {}), ({1: {2: 3}}, {"1.2": 3}), (0.5, {"": 0.5}),
])  # fmt: skip
def test_flatten(values: Any, flat: dict[str, Any]) -> None:
    assert flatten(values) == flat

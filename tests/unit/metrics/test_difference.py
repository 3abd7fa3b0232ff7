"""Differences of values, by DVC's rules."""

import math
from typing import Any

import pytest
from dvc.utils.diff import diff as dvc_diff
from dvc.utils.diff import format_dict
from hypothesis import given
from hypothesis import strategies as st
from tests.support.measured import LEAVES, TREES

from mlxkit.metrics.difference import difference

FILES = st.dictionaries(st.sampled_from(["m.json", "n.yaml"]), TREES | LEAVES | st.none())


@given(FILES, FILES, st.booleans())
def test_any_values_differ_as_in_dvc(
    old: dict[str, Any], new: dict[str, Any], unchanged: bool
) -> None:
    expected = dvc_diff(_for_dvc(old), _for_dvc(new), with_unchanged=unchanged)
    assert repr(_sorted(difference(old, new, unchanged=unchanged))) == repr(_sorted(expected))


@pytest.mark.parametrize(("old", "new", "expected"), [
    ({"a": 1}, {"a": 3}, {"a": {"old": 1, "new": 3, "diff": 2}}),
    ({"a": {"b": 1}}, {}, {"a.b": {"old": 1, "new": None}}),
    ({}, {"a": "x"}, {"a": {"old": None, "new": "x"}}),
    ({"a": [1, 2]}, {"a": [1, 3]}, {"a": {"old": "[1, 2]", "new": "[1, 3]"}}),
    ({"a": True}, {"a": False}, {"a": {"old": True, "new": False, "diff": -1}}),
    ({"a": 1}, {"a": "1"}, {"a": {"old": 1, "new": "1"}}),
    ({"a": 1}, {"a": 1.0}, {}),
    (0.5, 0.75, {"": {"old": 0.5, "new": 0.75, "diff": 0.25}}),
])  # fmt: skip
def test_changes_by_name(old: Any, new: Any, expected: dict[str, Any]) -> None:
    found = difference({"f": old}, {"f": new})
    assert found == ({"f": expected} if expected else {})


def test_an_integer_beyond_all_floats_is_infinitely_far() -> None:
    change = difference({"f": {"a": 0.5}}, {"f": {"a": 10**400}})["f"]["a"]
    assert change["diff"] == math.inf


def _for_dvc(values: dict[str, Any]) -> Any:
    return format_dict({path: {"data": one} for path, one in values.items()})


def _sorted(found: dict[str, Any]) -> list[Any]:
    return [(path, sorted(found[path].items())) for path in sorted(found)]

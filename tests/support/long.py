"""A part of many similar cases in `make test`, all of them in `make test-long`."""

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(values: Iterable[Any], every: int) -> list[Any]:
    """Mark as long all but every so-manieth value; a tuple is several parameters."""
    found = []
    for number, value in enumerate(values):
        parts = value if isinstance(value, tuple) else (value,)
        marks = () if number % every == 0 else (pytest.mark.long,)
        found.append(pytest.param(*parts, marks=marks))
    return found


EVERY = {
    "faults/test_bad_input.py::test_message": 2,
    "faults/test_bad_input.py::test_strange_document": 3,
    "faults/test_data_kill.py::test_checkout": 2,
    "faults/test_data_kill.py::test_pull": 2,
    "faults/test_data_kill.py::test_push": 2,
    "faults/test_gc.py::test_killed_at_any_time": 2,
    "faults/test_kill.py::test_killed": 3,
    "faults/test_leftovers.py::test_cut_lock_file": 2,
    "interop/test_compare_templates.py::test_all_commits_as_in_dvc": 2,
    "interop/test_data_random.py::test_same_bytes_as_dvc": 2,
    "interop/test_diff.py::test_targets": 3,
    "interop/test_diff.py::test_the_same_bytes": 2,
    "interop/test_flags.py::test_from_a_subfolder": 2,
    "interop/test_flags.py::test_target_or_flag": 3,
    "interop/test_known_differences.py::test_run_cache_knows_every_parameter": 3,
    "interop/test_metrics.py::test_diff_adds_only_the_direction": 3,
    "interop/test_metrics.py::test_same_json_as_dvc": 3,
    "interop/test_diff.py::test_random_revisions": 2,
    "interop/test_random_pipelines.py::test_dvc_agrees_with_itself": 2,
    "interop/test_random_pipelines.py::test_same_bytes_as_dvc": 2,
    "interop/test_remotes.py::test_dvc_sends_and_mlx_gets": 2,
    "interop/test_remotes.py::test_mlx_sends_and_dvc_gets": 2,
    "interop/test_remotes.py::test_run_cache": 3,
    "interop/test_special_projects.py::test_same_as_dvc": 3,
    "census/test_model_file.py::test_a_tree_that_points_outside_itself_is_refused": 3,
    "scenarios/test_verify.py::test_each_is_named": 2,
}
"""Tests of which `make test` runs every so-manieth case: the slowest of many alike."""


def mark_long(items: Iterable[pytest.Item]) -> None:
    """Mark as long what `EVERY` leaves out."""
    seen: dict[str, int] = {}
    for item in items:
        name = item.nodeid.removeprefix("tests/").partition("[")[0]
        if name in EVERY and item.get_closest_marker("long") is None:
            number = seen.get(name, 0)
            seen[name] = number + 1
            if number % EVERY[name]:
                item.add_marker(pytest.mark.long)
